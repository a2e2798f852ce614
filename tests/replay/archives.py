"""Archives of one day each, in which some pages copy the day before, so that a replay's changes in one affect the next."""

from datetime import datetime, timedelta
from pathlib import Path

from tests.backfill.archives import DAY, Kept, put, story_at, warc
from tests.e2e.chaos_press import Copy

ARCHIVED, COPIES = 9, 3
"""Pages of an archive: its own stories, and duplicates and near-duplicates of the archive before."""

FIRST = 7_000_000
"""The number of the first archived story, which no site of the press uses."""


def archive(folder: Path, number: int) -> Path:
    """The archive of a day: its own stories, then some of the day before on another host, with or without an appendix."""
    day, first = DAY + timedelta(days=number), FIRST + 1000 * number
    own = [story_at(first + n, host="daily.example", at=day + timedelta(minutes=n)) for n in range(ARCHIVED)]
    copied = [
        copy_of(first - 1000 + n, n, day + timedelta(hours=1, minutes=n)) for n in range(2 * COPIES if number else 0)
    ]
    return put(folder, f"{number:04}.warc.gz", warc([*own, *copied]))


def copy_of(number: int, place: int, at: datetime) -> Kept:
    origin = story_at(number).story
    story = Copy(1, number, origin=origin, tail="Our reporters were there too." if place < COPIES else "")
    return Kept(url=f"https://weekly.example{story.path}", story=story, at=at)
