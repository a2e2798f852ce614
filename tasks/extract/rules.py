"""The name of the extraction rules. A separate module, because loading the rules takes 10 MB."""

from functools import lru_cache
from importlib.metadata import version

RULE_SET = 6
"""Raised whenever the same page may give another text. Part of every article's `extractor`."""


def rules_name() -> str:
    """Return the prefix of `extractor` for articles made by these rules; their path follows."""
    return f"presslake/{RULE_SET} {_library()}"


@lru_cache(maxsize=1)
def _library() -> str:
    return f"trafilatura/{version('trafilatura')}"
