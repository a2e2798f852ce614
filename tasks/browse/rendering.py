"""Render values to HTML: templates, and filters for foreign text, instants and links. Pure but for the templates.

Every value is escaped. Foreign text loses its control and direction marks, and foreign links must be http or https.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from tasks.values.display import age, moment, plural, span

TITLE_LENGTH = 300
TEXT_LENGTH = 400_000
"""The most characters per text that are shown; the rest is in the lake."""

_DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_MARKS = dict.fromkeys(
    [
        code
        for code in range(0x110000)
        if code < 0xA0 and unicodedata.category(chr(code)) == "Cc" and code not in {9, 10}
    ]
    + [ord(mark) for mark in _DIRECTION]
)
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")


def readable(text: object, length: int = TITLE_LENGTH) -> str:
    """Return foreign text on one line, truncated, without control and direction marks."""
    line = " ".join(str("" if text is None else text)[: length * 4].translate(_MARKS).split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def visible(text: str) -> str:
    """Return a part of a line without control and direction marks; white space is kept."""
    return text.translate(_MARKS)


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, without control and direction marks."""
    return [one for line in text[:TEXT_LENGTH].translate(_MARKS).split("\n") if (one := " ".join(line.split()))]


def outside(url: object) -> str:
    """Return a foreign URL if it is http or https, else empty."""
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        return ""
    return str(url) if parts.scheme in {"http", "https"} and parts.netloc else ""


def language_of(tag: object) -> str:
    """Return a language tag for the attribute `lang`; empty if it is invalid."""
    return str(tag) if tag and _LANGUAGE.fullmatch(str(tag)) else ""


def day_name(at: datetime) -> str:
    """Return the day of an instant as a heading: `Sunday, 29 November 2026`."""
    at = at.astimezone(UTC)
    return f"{at:%A}, {at.day} {at:%B %Y}"


def clock(at: datetime) -> str:
    """Return the time of day, UTC."""
    return f"{at.astimezone(UTC):%H:%M}"


def later(after: timedelta) -> str:
    """Return a delay in words: `2 hours later`."""
    return f"{span(after)} later" if after >= timedelta(minutes=1) else "at the same time"


def due(at: datetime | None, now: datetime) -> str:
    """Return when something is due: `in 3 hours`, `now` if that has passed, `never`."""
    return "never" if at is None else "now" if at <= now else age(at, now)


def address(path: str, **query: object) -> str:
    """Return a path of this server with its query, without empty parameters."""
    given = {name: value for name, value in query.items() if value not in {None, ""}}
    return f"{path}?{urlencode(given)}" if given else path


def segment(text: object) -> str:
    """Return text as one segment of a path."""
    return quote(str(text), safe="")


def render(template: str, values: Mapping[str, Any], *, now: datetime) -> str:
    """Return a page."""
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            now=now,
            style=static_name("browse.css"),
            moment=lambda at: moment(at, now),
            age=lambda at: age(at, now),
            due=lambda at: due(at, now),
        )
    )


@cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """Return the files that pages load, by name: their bytes and their media types."""
    kinds = {"browse.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
    folder = files("tasks.browse") / "static"
    return {name: ((folder / name).read_bytes(), kind) for name, kind in kinds.items()}


@cache
def static_name(name: str) -> str:
    """Return the path of a file that pages load; it changes with the content, so that caches do not serve old files."""
    return f"/static/{name}?v={sha256(static_files()[name][0]).hexdigest()[:12]}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("tasks.browse"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        readable=readable, paragraphs=paragraphs, outside=outside, language=language_of, day_name=day_name, clock=clock,
        segment=segment, after=later, visible=visible,
    )  # fmt: skip
    made.globals.update(address=address, plural=plural)
    return made
