from datetime import timedelta

import pytest
from sqlalchemy import event, text

from tasks.index import postings
from tasks.index.postings import GENERATION, HOT, KnownShape
from tasks.values.text.shape import Shape, pack


def shape(*sketch: int, shingles=(1, 2, 2**32 - 1), numbers=(7,)) -> Shape:
    return Shape(
        algorithm=1, words=100, sketch=sketch, packed_shingles=pack("I", shingles), packed_numbers=pack("I", numbers)
    )


def keep(index, *known: tuple[str, object, Shape], full=frozenset()) -> None:
    with index.write() as tx:
        postings.add_shapes(
            tx,
            [KnownShape(article_id=name, told_at=told_at, host="a.example", shape=one) for name, told_at, one in known],
            full=full,
        )


def near(index, told_at, one: Shape) -> dict[str, KnownShape]:
    with index.read() as tx:
        found = postings.read_surroundings(tx, [(told_at, one)])
    return {known.article_id: known for known in found.shapes.values()}


def test_a_shape_round_trips(index, now):
    kept = shape(5, 2**63 - 1, numbers=())
    keep(index, ("a", now, kept))

    assert near(index, now, kept) == {"a": KnownShape(article_id="a", told_at=now, host="a.example", shape=kept)}


@pytest.mark.parametrize(("sketch", "is_near"), [((1, 2), True), ((2, 3, 9), True), ((3, 9, 10), False), ((), False)])
def test_texts_with_two_common_hashes_are_candidates(index, now, sketch, is_near):
    keep(index, ("a", now, shape(1, 2, 3)))

    assert bool(near(index, now, shape(*sketch))) is is_near


@pytest.mark.parametrize(("generations", "is_near"), [(-1, True), (0, True), (1, True), (-2, False), (2, False)])
def test_only_neighbouring_generations_are_candidates(index, now, generations, is_near):
    keep(index, ("a", now, shape(1, 2)))

    assert bool(near(index, now + generations * GENERATION, shape(1, 2))) is is_near


def test_a_hash_shared_by_hundreds_is_ignored(index, now):
    keep(index, *((f"a{number}", now, shape(1, 2, 1000 + number)) for number in range(HOT + 1)))

    with index.read() as tx:
        found = postings.read_surroundings(tx, [(now, shape(1, 2))])

    assert (found.shapes, found.full) == ({}, {(postings.generation_of(now), 1), (postings.generation_of(now), 2)})


def test_frequent_hashes_get_no_more_postings(index, now):
    keep(index, ("a", now, shape(1, 2)), full=frozenset({(postings.generation_of(now), 1)}))

    with index.read() as tx:
        assert tx.exec_driver_sql("SELECT hash FROM postings").scalars().all() == [2]


def test_a_shape_of_only_frequent_hashes_costs_no_postings(index, now):
    keep(index, ("a", now, shape(1)), full=frozenset({(postings.generation_of(now), 1)}))

    assert near(index, now, shape(1)) == {}


def test_a_dropped_shape_leaves_nothing(index, now):
    keep(index, ("a", now, shape(1, 2)), ("b", now, shape(1, 2)))
    with index.write() as tx:
        postings.drop_shapes(tx, ["a", "unknown"])

    with index.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM postings").scalar() == 2
    assert set(near(index, now, shape(1, 2))) == {"b"}


def test_pruning_drops_only_old_generations(index, now):
    keep(index, ("old", now - 5 * GENERATION, shape(1, 2)), ("young", now, shape(1, 2)))
    with index.write() as tx:
        pruned = postings.prune(tx, before=now - timedelta(days=28))

    with index.read() as tx:
        assert (pruned, tx.exec_driver_sql("SELECT count(*) FROM postings").scalar()) == (1, 2)


def test_times_before_the_epoch_have_generations(index, now):
    long_ago = now.replace(year=1912)
    keep(index, ("a", long_ago, shape(1, 2)))

    assert set(near(index, long_ago, shape(1, 2))) == {"a"}


def test_texts_of_many_years_are_looked_up_together(index, now):
    years = [now - number * 10 * GENERATION for number in range(100)]
    keep(index, *((f"a{number}", told_at, shape(1, 2, 10 + number)) for number, told_at in enumerate(years)))
    statements: list[str] = []

    with index.read() as tx:
        event.listen(tx, "before_cursor_execute", lambda *words: statements.append(words[2]))
        found = postings.read_surroundings(tx, [(told_at, shape(1, 2)) for told_at in years])

    assert {one.article_id for one in found.shapes.values()} == {f"a{number}" for number in range(100)}
    assert len(found.holders[1]) == 100
    assert len([one for one in statements if "postings" in one]) == 1


def test_a_lookup_uses_the_primary_key(index):
    with index.read() as tx:
        statement, values = postings.look_up(tx, {1: [1, 2]})
        if tx.dialect.name == "sqlite":
            plan = str(tx.execute(text(f"EXPLAIN QUERY PLAN {statement}"), values).all())
        else:
            tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = str(tx.execute(text(f"EXPLAIN {statement}"), values).all())

    assert "PRIMARY KEY (generation=? AND hash=?)" in plan or "pk_postings" in plan
