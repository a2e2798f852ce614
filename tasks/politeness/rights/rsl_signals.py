"""An RSL document's licences of one page into signals, one a usage. Pure."""

from collections.abc import Iterator

from tasks.politeness.rights.mapping import UNLICENSED
from tasks.politeness.rights.rsl import USAGES, Licences, strictest
from tasks.values.rights import RAW_LENGTH, RSL
from tasks.values.rows import Signal


def licence_signals(
    licences: Licences, url: str, *, policy_id: str | None, scope: str | None = None
) -> Iterator[Signal]:
    """Yield what a document says of a page, nothing where no content of it matches; raises BadUrl.

    The scope is the content's pattern, unless it is given. A document that cannot be understood grants nothing.
    """
    if licences.fault is not None:
        yield _signal(scope or "", UNLICENSED, licences.fault, policy_id)
        return
    contents = licences.for_url(url)
    for place, usage in enumerate(USAGES if contents else ()):
        answer = strictest(one.answers[place] for one in contents)
        yield _signal(scope or contents[0].pattern, f"{usage}={answer}", contents[0].raw, policy_id)
    for duty in dict.fromkeys(duty for one in contents for duty in one.duties):
        yield _signal(scope or contents[0].pattern, f"duty={duty}", contents[0].raw, policy_id)
    if contents and licences.is_lenient:
        yield _signal(scope or contents[0].pattern, "lenient", contents[0].raw, policy_id)


def _signal(scope: str, value: str, raw: str, policy_id: str | None) -> Signal:
    return Signal(signal=RSL, scope=scope[:RAW_LENGTH], value=value, raw=raw[:RAW_LENGTH], policy_id=policy_id)
