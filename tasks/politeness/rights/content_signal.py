"""Content-Signal (Cloudflare's policy, contentsignals.org): a robots.txt line or a header to signals. Pure.

It has no grammar: keys and values are read in any case and spacing, and everything unknown states nothing.
"""

import re
from collections.abc import Iterator

from tasks.values.rights import CONTENT_SIGNAL, RAW_LENGTH, UNSET
from tasks.values.rows import Signal

KEYS = ("search", "ai-input", "ai-train")
USES = ("immediate", "reference", "full")

_ANSWERS = {"yes": "y", "no": "n"}
_PAIR = re.compile(r"\s*([A-Za-z-]{1,20})\s*=\s*([A-Za-z]{1,20})\s*")
_MAX_LENGTH = 4096


def read_content_signal(value: str) -> tuple[str, ...]:
    """Return what a value states, such as `ai-train=n` or `use=reference`. Of repeated keys, the stricter wins."""
    stated: dict[str, str] = {}
    for part in value[:_MAX_LENGTH].split(","):
        if not (pair := _PAIR.fullmatch(part)):
            continue
        key, answer = pair[1].lower(), pair[2].lower()
        if key in KEYS and answer in _ANSWERS:
            stated[key] = "n" if stated.get(key) == "n" else _ANSWERS[answer]
        elif key == "use" and answer in USES:
            stated[key] = min(answer, stated.get(key, answer), key=USES.index)
    return tuple(f"{key}={answer}" for key, answer in stated.items())


def content_signals(value: str, *, scope: str, policy_id: str | None = None) -> Iterator[Signal]:
    """Yield the signals of one value, or one UNSET signal if it states nothing known."""
    for said in read_content_signal(value) or (UNSET,):
        yield Signal(signal=CONTENT_SIGNAL, scope=scope, value=said, raw=value[:RAW_LENGTH], policy_id=policy_id)
