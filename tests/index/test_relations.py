from tasks.index import articles, relations
from tasks.index.articles import Alias
from tasks.index.relations import Edge


def claim(url_key: str, article_key: str, how: str = "canonical") -> Alias:
    return Alias(url_key=url_key, article_key=article_key, how=how)


def edge(a: str, b: str, score: float = 1.0, kind: str = "near_duplicate") -> Edge:
    return Edge(a=a, b=b, kind=kind, score=score)


def test_the_newest_claim_of_a_url_is_kept(index, now):
    with index.write() as tx:
        articles.note_aliases(tx, [claim("a.example/amp", "a.example/1"), claim("a.example/x", "a.example/1")], now=now)
        articles.note_aliases(tx, [claim("a.example/amp", "a.example/2")], now=now)

    with index.read() as tx:
        found = articles.find_aliases(tx, ["a.example/amp", "a.example/x", "a.example/unknown"])

    assert found == {"a.example/amp": "a.example/2", "a.example/x": "a.example/1"}


def test_an_edge_is_kept_once_with_its_newest_score(index, now):
    with index.write() as tx:
        relations.add_edges(tx, [edge("a", "b", 0.7), edge("a", "b", 0.9, kind="excerpt")], now=now)
        relations.add_edges(tx, [edge("a", "b", 0.8)], now=now)

    with index.read() as tx:
        assert relations.find_edges(tx, "a") == [edge("a", "b", 0.9, kind="excerpt"), edge("a", "b", 0.8)]


def test_the_edges_of_an_article_are_found_from_either_end(index, now):
    with index.write() as tx:
        relations.add_edges(tx, [edge("a", "b"), edge("b", "c"), edge("c", "d")], now=now)

    with index.read() as tx:
        assert relations.find_edges(tx, "b") == [edge("a", "b"), edge("b", "c")]


def test_empty_relations_cause_no_write(index, now):
    with index.write() as tx:
        articles.note_aliases(tx, [], now=now)
        relations.add_edges(tx, [], now=now)

    with index.read() as tx:
        assert (articles.find_aliases(tx, []), relations.find_edges(tx, "a")) == ({}, [])
