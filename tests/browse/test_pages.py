"""The content of each page, and that hostile texts in it are inert."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tasks.browse.library import open_library
from tasks.browse.rendering import due
from tasks.config.settings import Settings
from tasks.errors import ConfigError
from tasks.index import articles
from tasks.index.database import open_index
from tests.browse.filling import EVIL, NOW
from tests.browse.press import HOSTILE, PRINTS
from tests.index.test_articles import known

BY_SLUG = {one.slug: one for one in PRINTS + HOSTILE}
FERRY, BRIDGE, STORM = (f"/articles/{BY_SLUG[slug].article_id}" for slug in ("isles-ferry", "footbridge", "storm"))
STORY = f"/stories/{BY_SLUG['isles-ferry'].article_id}"
PAGES = ["/", "/stories", STORY, "/sources", "/sources/gazette", "/sources/herald", "/failures", "/url", FERRY, BRIDGE, STORM,
         f"{BRIDGE}/revisions", f"{STORM}/revisions", f"/url?url={BY_SLUG['storm'].url}", "/url?url=https://tribune.example/gone-story",
         "/search?q=x", "/nope"]  # fmt: skip


class Read(HTMLParser):
    """A page's text, its elements and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def links(self) -> list[str]:
        return [attributes["href"] for tag, attributes in self.tags if tag == "a"]


def read(client, path: str) -> Read:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return Read(answer.text)


@pytest.mark.parametrize("path", PAGES)
def test_content_from_the_web_appears_only_as_text(client, path):
    page = Read(client.get(path).text)

    names = {tag for tag, _ in page.tags}
    attributes = {name for _, several in page.tags for name in several}
    outside = [
        a
        for tag, several in page.tags
        for name, a in several.items()
        if name in {"src", "action"} and "//" in (a or "")
    ]
    assert not names & {"script", "img", "object", "embed", "style", "base"}
    assert not {name for name in attributes if name.startswith("on") or name == "style"}
    assert outside == []
    assert not any(link.lower().startswith(("javascript:", "data:")) for link in page.links())


@pytest.mark.parametrize("path", ["/", STORM, f"{STORM}/revisions", "/sources/herald"])
def test_a_hostile_title_is_shown_without_its_direction_marks(client, path):
    page = read(client, path)

    assert f"Storm {EVIL}" in page.text
    assert "{{7*7}}" in page.text
    assert "\u202e" not in page.text


def test_the_newest_articles_come_first_by_day(client):
    page = read(client, "/")

    first, later = page.text.index("The library gets a new roof"), page.text.index("Bus line 9")
    assert first < later
    assert page.text.index("Sunday, 29 November 2026") < first
    assert page.text.index("Saturday, 28 November 2026") > later


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("source=post", "Der Nachtzug hält", "Bus line 9"),
        ("tag=german", "Der Nachtzug hält", "Bus line 9"),
        ("tag=local", "Bus line 9", "Der Nachtzug hält"),
        ("language=de", "Der Nachtzug hält", "Bus line 9"),
        ("day=2026-11-28", "Night clinic moves", "Bus line 9"),
        ("source=gazette&day=2026-11-28", "Night clinic moves", "Glasfaser"),
    ],
)
def test_a_list_can_be_filtered_by_source_tag_language_and_day(client, query, there, gone):
    page = read(client, f"/?{query}")

    assert there in page.text
    assert gone not in page.text


@pytest.mark.parametrize(
    "query",
    [
        "day=yesterday",
        "day=0001-01-01",
        "before=x",
        "before=2026-11-28T00:00:00~a",
        "tag=none",
        "language=%27",
    ],
)
def test_an_invalid_filter_is_no_error(client, query):
    assert client.get(f"/?{query}").status_code == 200


def test_the_link_to_older_articles_continues_the_list(client, monkeypatch):
    monkeypatch.setattr("tasks.browse.newest.SHOWN", 10)
    seen, path = [], "/?language=en"
    while path:
        page = read(client, path)
        seen += [one for one in page.links() if re.fullmatch(r"/articles/[0-9a-f]{32}", one)]
        path = next((one for one in page.links() if "before=" in one), None)

    assert len(seen) == len(set(seen)) == len({one.article_id for one in PRINTS if one.language == "en"})


def test_an_article_is_shown_beside_its_stored_page(client):
    page = read(client, FERRY)

    (frame,) = [attributes for tag, attributes in page.tags if tag == "iframe"]
    assert frame["src"] == f"{FERRY}/revisions/1/page"
    assert frame["sandbox"] is None or frame["sandbox"] == ""
    assert "94 minutes" in page.text
    assert "94 minutes" in client.get(frame["src"]).text


def test_an_article_shows_its_rights(client):
    page = read(client, FERRY)

    assert "ai-train refused, by content-signal ai-train=n" in " ".join(page.text.split())
    assert "archive not stated" in " ".join(page.text.split())


def test_an_older_revision_is_marked_as_such(client):
    page = read(client, f"{BRIDGE}/revisions/1")

    assert "This is revision 1 of 3" in page.text
    assert "480,000" in page.text
    assert "520,000" in read(client, BRIDGE).text


def test_revisions_show_what_changed(client):
    html = client.get(f"{BRIDGE}/revisions").text

    assert re.search(r"<del>.*480,000 ?</del><ins>.*520,000 ?</ins>", html)
    assert "changed: figures" in Read(html).text
    assert "Correction: an earlier version" in Read(html).text


def test_a_story_begins_with_its_first_source(client):
    page = read(client, STORY)

    assert "4 articles 4 sources first in The Wire" in page.text
    assert (
        page.text.index("sails again from Friday")
        < page.text.index("After five weeks")
        < page.text.index("Outer isles")
    )
    assert "86 % of the first" in page.text
    assert "3 hours later" in page.text


def test_stories_link_to_their_first_article(client):
    assert f"/stories/{BY_SLUG['night-ferry'].article_id}" in read(client, "/stories").links()


def test_a_story_is_found_by_any_of_its_articles(client):
    titles = {read(client, f"/stories/{BY_SLUG[slug].article_id}").text for slug in ("night-ferry", "ferry-friday")}

    assert len(titles) == 1


def test_a_source_shows_its_volume_by_hour_and_its_feeds(client):
    html = client.get("/sources/gazette").text
    page = Read(html)

    assert 'role="img" aria-label="Articles by hour: ' in html
    assert html.count('<rect class="bar"') == len(
        {
            (one.published_at.date(), one.published_at.hour)
            for one in PRINTS
            if one.source == "gazette" and one.revision == 1
        }
    )
    assert "https://gazette.example/feed.xml" in page.text
    assert "http_503, 4 times" in page.text


def test_failures_show_url_and_reason(client):
    page = read(client, "/failures")

    for reason in ("http_404", "timed_out", "paywall", "robots_disallowed", "extractor_timed_out"):
        assert reason in page.text
    assert "https://tribune.example/gone-story" in page.text
    assert "stays due" in page.text


def test_failures_can_be_filtered_by_reason(client):
    text = read(client, "/failures?reason=http_404").text

    assert "gone-story" in text
    assert "langsam" not in text


def test_a_url_shows_its_captures_with_their_reasons(client):
    text = read(client, "/url?url=https://post.example/langsam").text

    assert "timed_out" in text
    assert "no answer within 15 s" in text


def test_an_articles_url_links_to_the_article(client):
    assert BRIDGE in read(client, f"/url?url={BY_SLUG['footbridge'].url}").links()
    assert client.get(f"/url?url={BY_SLUG['footbridge'].article_id}").headers["Location"] == BRIDGE


@pytest.mark.parametrize(
    "path",
    ["/nope", "/articles/nope", f"/articles/{'0' * 32}", f"{BRIDGE}/revisions/9", f"{BRIDGE}/revisions/9/page", "/stories/nope",
     "/sources/nope", "/url?url=nope", "/url?url=https://unknown.example/", "/static/nope.css", "/static/..%2Fbrowse.css",
     "/sources/%3Cscript%3E"],
)  # fmt: skip
def test_a_missing_page_is_a_404(client, path):
    answer = client.get(path)

    assert answer.status_code == 404
    assert "Page not found" in answer.text


@pytest.mark.parametrize("path", ["/articles/%00", "/?source=%00", "/search?q=a%00b", "/url?url=%00"])
def test_a_nul_character_is_refused_before_the_database(client, path):
    assert client.get(path).status_code == 400


def test_internal_links_work(client):
    seen = {
        link for path in ("/", FERRY, BRIDGE, STORY, "/sources", "/failures") for link in read(client, path).links()
    }
    inside = sorted({link for link in seen if link.startswith("/")})

    assert [link for link in inside if client.get(link).status_code not in {200, 302}] == []
    assert len(inside) > 40


def test_the_index_may_become_unavailable_and_return(home, settings, make_client, tmp_path):
    moved = tmp_path / "index.db"
    moved.write_bytes((home / "index.db").read_bytes())
    there = make_client(library=open_library(settings.model_copy(update={"index": f"sqlite:///{moved}"})))
    content = moved.read_bytes()

    moved.unlink()
    away = there.get("/")
    made = moved.exists()
    moved.write_bytes(content)

    assert (away.status_code, made) == (503, False)
    assert "The index is not available" in away.text
    assert there.get("/").status_code == 200


def test_it_creates_neither_an_index_nor_a_lake(tmp_path):
    with pytest.raises(ConfigError):
        open_library(Settings(lake=str(tmp_path / "lake"), index=f"sqlite:///{tmp_path / 'index.db'}"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("hours", "said"), [(None, "never"), (-5, "now"), (0, "now"), (3, "in 3 hours")])
def test_an_overdue_url_is_shown_as_due_now(hours, said):
    assert due(None if hours is None else NOW + timedelta(hours=hours), NOW) == said


def test_an_unpublished_article_is_marked_as_such(settings, make_client, tmp_path):
    """The index has the article, but no table does yet."""
    copy = tmp_path / "index.db"
    copy.write_bytes(Path(settings.index.removeprefix("sqlite:///")).read_bytes())
    index_url = f"sqlite:///{copy}"
    with open_index(index_url) as index, index.write() as tx:
        articles.remember(tx, [known("f" * 32, NOW, title="Not published yet")])
    waiting = make_client(library=open_library(settings.model_copy(update={"index": index_url})))

    page = read(waiting, f"/articles/{'f' * 32}")

    assert "Not published yet" in page.text
    assert "the next sweep publishes it" in page.text
    assert "iframe" not in {tag for tag, _ in page.tags}
