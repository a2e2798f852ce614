"""Text that every store takes: the index's databases, Parquet and JSON. Pure."""

import re

REPLACEMENT = "\ufffd"

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable_text(text: str) -> str:
    """Return the text as a plain string, with U+FFFD for NUL and for each surrogate without its other half.

    PostgreSQL refuses NUL, and UTF-8 has no surrogates; two halves that stand together are the character that they mean.
    """
    if not _UNSTORABLE.search(text):
        return str(text)
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return paired.replace("\0", REPLACEMENT)
