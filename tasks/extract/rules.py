"""The name of the rules that pages are extracted by. Apart from them, since loading them takes 10 MB."""

from functools import lru_cache
from importlib.metadata import version

RULE_SET = 6
"""Raised whenever the same page may give another text; part of every article's `extractor`."""


def rules_name() -> str:
    """Return what the extractor of every article begins with that these rules make; its path follows."""
    return f"presslake/{RULE_SET} {_library()}"


@lru_cache(maxsize=1)
def _library() -> str:
    return f"trafilatura/{version('trafilatura')}"
