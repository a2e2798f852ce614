"""Read the press from YAML files in `press/` into outlets with their stories."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("press")
OUTLETS = ("courier", "meridian", "talblick")
PASSING = timedelta(hours=3)
"""The time between the two editions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One article as published by its outlet. `quirks` are peculiarities of its page (see site.py)."""

    path: str
    language: str
    section: str
    title: str
    author: str
    lede: str
    tags: tuple[str, ...]
    photo: str | None
    paragraphs: tuple[str, ...]
    quirks: frozenset[str]
    is_edited_copy: bool
    published_at: datetime
    modified_at: datetime

    @property
    def text(self) -> str:
        """The article's text, one paragraph per line."""
        return "\n".join(self.paragraphs)

    @property
    def beginning(self) -> str:
        """The excerpt shown in teasers."""
        return " ".join(self.paragraphs[0].split()[:24]) + " …"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """An announced URL that is not an article; `kind` is disallowed, document or missing."""

    path: str
    title: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """One edition of an outlet, newest story first."""

    id: str
    name: str
    language: str
    stories: tuple[Story, ...]
    beside: tuple[Beside, ...]


def read_press(*, opened_at: datetime, is_later: bool) -> tuple[Outlet, ...]:
    """Return the outlets in their first edition or, if `is_later`, in the second, with corrections and new stories."""
    wire = _load("wire")
    return tuple(_outlet(_load(name), wire, opened_at=opened_at, is_later=is_later) for name in OUTLETS)


def _load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


def _outlet(content: Mapping[str, Any], wire: Mapping[str, str], *, opened_at: datetime, is_later: bool) -> Outlet:
    stories = _stories(content, wire, opened_at=opened_at, is_later=is_later)
    return Outlet(
        id=content["id"],
        name=content["name"],
        language=content["language"],
        stories=tuple(sorted(stories, key=lambda story: story.published_at, reverse=True)),
        beside=tuple(Beside(**one) for one in content["beside"]),
    )


def _stories(
    content: Mapping[str, Any], wire: Mapping[str, str], *, opened_at: datetime, is_later: bool
) -> Iterator[Story]:
    for one in content["articles"]:
        if one.get("appears_later") and not is_later:
            continue
        is_corrected = is_later and "corrected" in one
        body = wire[one["wire"]] if "wire" in one else one["body"]
        for change in (*one.get("edited", ()), *([one["corrected"]] if is_corrected else ())):
            body = _changed(body, **change)
        published_at = (
            opened_at + PASSING if one.get("appears_later") else opened_at - timedelta(hours=one["age_h"])
        ).replace(microsecond=0)
        yield Story(
            path=one["path"],
            language=one.get("language", content["language"]),
            section=one["section"],
            title=one["title"],
            author=one["author"],
            lede=one["lede"],
            tags=tuple(one["tags"]),
            photo=one.get("photo"),
            paragraphs=tuple(line for line in body.split("\n") if line),
            quirks=frozenset(one.get("quirks", ())),
            is_edited_copy="edited" in one,
            published_at=published_at,
            modified_at=(opened_at + PASSING).replace(microsecond=0) if is_corrected else published_at,
        )


def _changed(text: str, *, was: str, **changed: str) -> str:
    if text.count(was) != 1:
        raise ValueError(f"{text.count(was)} times in the text, not once: {was}")
    return text.replace(was, changed["is"])
