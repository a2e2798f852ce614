from datetime import timedelta

from tasks.index import articles
from tasks.index.articles import KnownArticle
from tasks.values.rows import Article
from tests.rows import make_article


def known(name: str, now, **changes) -> tuple[Article, KnownArticle]:
    """Return an article's newest row, and its known state."""
    values = {
        "article_id": name, "source_id": "a", "language": "en", "title": "Harbour", "revision": 1, "text_digest": f"t1:{name}", "published_at": None,
        "first_seen_at": now, "fetched_at": now, "cluster_id": name, "duplicate_of": None, "is_representative": True,
    }  # fmt: skip
    one = KnownArticle(**(values | changes))
    row = make_article(
        article_id=name, revision=one.revision, url_key=f"a.example/{name}", url=f"https://a.example/{name}"
    )
    return row, one


def remember(index, *several: tuple[Article, KnownArticle]) -> None:
    with index.write() as tx:
        articles.remember(tx, several)


def test_the_newest_revision_is_known_and_first_seen_at_stays(index, now):
    remember(index, known("a", now))
    remember(index, known("a", now + timedelta(days=1), revision=2, title="Harbour \x00 reopens"))

    with index.read() as tx:
        found = articles.find_by_id(tx, "a")

    assert (found.revision, found.first_seen_at, found.title) == (2, now, "Harbour \ufffd reopens")


def test_the_earliest_of_equal_texts_is_found(index, now):
    remember(
        index,
        known("b", now, text_digest="t1:x"),
        known("a", now, text_digest="t1:x"),
        known("c", now - timedelta(hours=1), text_digest="t1:x"),
    )

    with index.read() as tx:
        assert articles.find_by_text(tx, ["t1:x", "t1:y"])["t1:x"].article_id == "c"


def test_more_keys_than_a_statement_allows_are_looked_up(index, now):
    remember(index, *(known(f"{number}", now) for number in range(900)))

    with index.read() as tx:
        assert len(articles.find_by_url_key(tx, (f"a.example/{number}" for number in range(2000)))) == 900


def test_merged_clusters_get_a_new_representative(index, now):
    remember(
        index,
        known("a", now),
        known("b", now),
        known("c", now, cluster_id="b", is_representative=False),
        known("d", now),
    )
    with index.write() as tx:
        articles.merge_clusters(tx, {"b": "a"})
        articles.demote(tx, ["b"])

    with index.read() as tx:
        clusters = articles.find_clusters(tx, ["a", "b", "c", "d", "unknown"])
        representatives = articles.find_representatives(tx, ["a", "b", "d"])

    assert clusters == {"a": "a", "b": "a", "c": "a", "d": "d"}
    assert {cluster: one.article_id for cluster, one in representatives.items()} == {"a": "a", "d": "d"}
