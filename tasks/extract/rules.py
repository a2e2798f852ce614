"""The name of the extraction rules; a separate module, since loading the rules takes 10 MB."""

from functools import lru_cache
from importlib.metadata import version

RULE_SET = 6
"""Increased whenever the same page may give another text; part of every article's `extractor`."""


def rules_name() -> str:
    """Return the prefix of the `extractor` of every article that these rules make; the path follows."""
    return f"presslake/{RULE_SET} {_library()}"


@lru_cache(maxsize=1)
def _library() -> str:
    return f"trafilatura/{version('trafilatura')}"
