"""AIPREF's Content-Usage (draft-ietf-aipref-vocab-08, -attach-05): a Dictionary to preferences. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tasks.politeness.rights.structured import Token, parse_dictionary
from tasks.values.rights import CONTENT_USAGE, RAW_LENGTH, UNREADABLE, UNSET
from tasks.values.rows import Signal

LABELS = ("train-ai", "ai-use", "search")
"""The categories of vocab-08. Labels of other drafts are kept in `raw` and ignored."""

MAX_USAGE_LENGTH = 4096

_REFUSED = re.compile(rf"(?<![\w.*-])({'|'.join(LABELS)})\s*=\s*n(?![\w.*/:!#$%&'+^`|~-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one Dictionary states: (label, `y` or `n`) by RFC 9651. Empty unless it `is_readable`.

    `overridden`: labels that say `n` first and something else later. By RFC 9651 the last value counts.
    """

    stated: tuple[tuple[str, str], ...] = ()
    overridden: tuple[str, ...] = ()
    is_readable: bool = True

    @property
    def strictest(self) -> tuple[tuple[str, str], ...]:
        """The stated values, but refusals override: a later value may come from someone else's line."""
        answers = dict(self.stated) | dict.fromkeys(self.overridden, "n")
        return tuple((label, answers[label]) for label in LABELS if label in answers)


def read_usage(value: str) -> Usage:
    """Parse one Content-Usage value. Values other than the Tokens `y` and `n` state nothing and are no error."""
    if len(value) > MAX_USAGE_LENGTH:
        return Usage(is_readable=False)
    try:
        members = parse_dictionary(value)
    except ValueError:  # RFC 9651 discards the whole field
        return Usage(is_readable=False)
    stated = tuple(
        (label, str(member[0]))
        for label in LABELS
        if (member := members.get(label)) and isinstance(member[0], Token) and str(member[0]) in {"y", "n"}
    )
    refused = {found[1] for found in _REFUSED.finditer(value)}
    overridden = tuple(label for label in LABELS if label in refused and dict(stated).get(label) != "n")
    return Usage(stated=stated, overridden=overridden)


def usage_signals(value: str, *, scope: str, policy_id: str | None = None) -> Iterator[Signal]:
    """Yield one signal per label, or one that marks an unreadable or empty value."""
    read = read_usage(value)
    pairs = [f"{label}={said}" for label, said in read.strictest]
    for said in pairs or [UNSET if read.is_readable else UNREADABLE]:
        yield Signal(signal=CONTENT_USAGE, scope=scope, value=said, raw=value[:RAW_LENGTH], policy_id=policy_id)


def header_usage(values: Iterable[str], *, scope: str) -> Iterator[Signal]:
    """Yield the signals of a header's field lines.

    By RFC 9651 they form one Dictionary, in which the last key counts. A line added by a network in between would then
    override the site's own. So each line is read separately, and a refusal in any of them counts.
    """
    for value in values:
        yield from usage_signals(value, scope=scope)
