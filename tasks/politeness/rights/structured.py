"""Structured Fields (RFC 9651), parsed by http-sf: a field's value into a Dictionary or a List. Pure."""

from typing import Any, cast

import http_sf

Parameters = dict[str, Any]

Token = http_sf.Token
"""It equals the String of its letters: only its type differs."""


def parse_dictionary(value: str) -> dict[str, tuple[Any, Parameters]]:
    """Return the members with their parameters, the last of each key; raises ValueError, and then all of it is lost."""
    parsed = http_sf.parse(value.encode("utf-8", "surrogateescape"), tltype="dictionary")
    return cast("dict[str, tuple[Any, Parameters]]", parsed)


def parse_list(value: str) -> list[tuple[Any, Parameters]]:
    """Return the members with their parameters; raises ValueError."""
    parsed = http_sf.parse(value.encode("utf-8", "surrogateescape"), tltype="list")
    return cast("list[tuple[Any, Parameters]]", parsed)
