"""Structured Fields (RFC 9651), parsed by http-sf: a field's value to a Dictionary or a List. Pure."""

from typing import Any, cast

import http_sf

Parameters = dict[str, Any]

Token = http_sf.Token
"""A Token equals the String with the same letters; only the type differs."""


def parse_dictionary(value: str) -> dict[str, tuple[Any, Parameters]]:
    """Return members with parameters, the last of each key. Raises ValueError for the whole field on any error."""
    parsed = http_sf.parse(value.encode("utf-8", "surrogateescape"), tltype="dictionary")
    return cast("dict[str, tuple[Any, Parameters]]", parsed)


def parse_list(value: str) -> list[tuple[Any, Parameters]]:
    """Return members with parameters. Raises ValueError."""
    parsed = http_sf.parse(value.encode("utf-8", "surrogateescape"), tltype="list")
    return cast("list[tuple[Any, Parameters]]", parsed)
