"""Cleaning of raw links, titles and dates."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.feeds.collector import MAX_TITLE_LENGTH, Collector, absolute_url, plain_title

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASE = "https://daily.example/feed/"


def collector(limit=10):
    return Collector(base_url=BASE, now=NOW, limit=limit)


def test_entries_keep_their_order_and_metadata():
    gathered = collector()

    gathered.add("/a", title="A", published="2026-02-28", modified="2026-03-01")
    gathered.add("b")

    assert [(entry.url, entry.title) for entry in gathered.entries] == [
        ("https://daily.example/a", "A"),
        ("https://daily.example/feed/b", None),
    ]
    assert gathered.entries[0].modified_at == datetime(2026, 3, 1, tzinfo=UTC)


def test_entries_beyond_the_limit_are_only_counted():
    gathered = collector(limit=2)
    for number in range(5):
        gathered.add(f"/{number}")

    assert len(gathered.entries) == 2
    assert gathered.warnings == ("entry past the limit of 2 (3 times)",)


def test_doubtful_entries_are_counted_by_kind():
    gathered = collector()

    for published in ("soon", "never", "1970-01-01", " "):
        gathered.add("/a", published=published)
    gathered.add(None)

    assert set(gathered.warnings) == {
        "date unreadable (2 times)",
        "date implausible",
        "entry without a fetchable link",
    }


@pytest.mark.parametrize(
    "dates", [["2026-02-28T10:00:01Z"] * 2, ["2026-02-28"] * 9, ["2026-02-28T10:00:01Z", None, None]]
)
def test_few_entries_days_and_gaps_do_not_count_as_equal_dates(dates):
    gathered = collector()
    for number, published in enumerate(dates):
        gathered.add(f"/{number}", published=published)

    gathered.drop_equal_dates()

    assert gathered.entries[0].published_at is not None
    assert gathered.warnings == ()


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://daily.example/a#part", "https://daily.example/a#part"),
        (" https://daily.example/a ", "https://daily.example/a"),
        ("?id=1&amp;x=2", "https://daily.example/feed/?id=1&x=2"),
        ("https://daily.example:99999/", None),
        ("data:text/html,x", None),
        (None, None),
        ("", None),
        ("https://daily.example/" + "x" * 9000, None),
    ],
)
def test_a_link_is_made_absolute_or_is_none(link, url):
    assert absolute_url(link, base_url=BASE) == url


@given(st.text(max_size=300))
def test_no_text_raises(text):
    url, title = absolute_url(text, base_url=BASE), plain_title(text)

    assert url is None or url.startswith(("http://", "https://"))
    assert title is None or title == " ".join(title.split())


def test_a_titles_length_is_bounded():
    assert len(plain_title("word " * 10_000)) <= MAX_TITLE_LENGTH
