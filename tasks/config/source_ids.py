"""Ids for sources that are new to the catalogue. Pure."""

import re
import unicodedata
from collections.abc import Collection

MAX_ID_LENGTH = 64


def new_id(name: str, known: Collection[str]) -> str:
    """Return an unused id for the catalogue, made of a name: lower-case letters, digits and hyphens."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[: MAX_ID_LENGTH - 4].strip("-") or "source"
    candidates = (stem, *(f"{stem}-{number}" for number in range(2, len(known) + 3)))
    return next(candidate for candidate in candidates if candidate not in known)
