"""Search for near-duplicates: shapes of texts, and postings that lead from sketch hashes to shapes.

Both are partitioned into generations, windows of the articles' own time. A search reads at most three generations, and
pruning deletes old ones as ranges. All functions run in the caller's transaction.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    TextClause,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
)

from tasks.index.schema import articles, postings, shapes
from tasks.index.statements import in_chunks
from tasks.values.text.shape import Shape, pack, unpack

GENERATION = timedelta(days=14)
"""Length of a generation. It equals the window of comparison, so a search needs only adjacent generations."""

HOT = 200
"""A hash in more shapes than this is boilerplate: it is neither searched nor stored any more."""

MIN_SHARED = 2
CHUNK = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownShape:
    """The shape of an article's newest text, with the article's time and host."""

    article_id: str
    told_at: datetime
    host: str
    shape: Shape

    @property
    def generation(self) -> int:
        """Its generation."""
        return generation_of(self.told_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The texts near some texts: `holders` of each of their hashes, and the shapes that share enough of these.

    `full`: (generation, hash) pairs that are already hot, so more postings would be useless.
    """

    holders: Mapping[int, Sequence[int]]
    shapes: Mapping[int, KnownShape]
    full: frozenset[tuple[int, int]]


def generation_of(instant: datetime) -> int:
    """Return the generation of a time."""
    return (instant - _EPOCH) // GENERATION


def read_surroundings(tx: Connection, wanted: Iterable[tuple[datetime, Shape]]) -> Surroundings:
    """Return the texts that may resemble these: at least two common hashes, at most one generation apart."""
    texts = list(wanted)
    hashes: dict[int, set[int]] = {}
    for told_at, shape in texts:
        middle = generation_of(told_at)
        # A text near the edge of its generation may resemble one in the next. No comparison spans more than that.
        for generation in (middle - 1, middle, middle + 1):
            hashes.setdefault(generation, set()).update(shape.sketch)
    holders: dict[int, list[int]] = {}
    full: set[tuple[int, int]] = set()
    for generation, value, numbers in _read_holders(tx, hashes):
        if len(numbers) > HOT:
            full.add((generation, value))
        holders.setdefault(value, []).extend(numbers)
    shared = {number for _, shape in texts for number in sharing(shape, holders)}
    return Surroundings(holders=holders, shapes=_read_shapes(tx, shared), full=frozenset(full))


def sharing(shape: Shape, holders: Mapping[int, Sequence[T]]) -> list[T]:
    """Return the shapes that share at least two hashes with this one, most first. Hot hashes are ignored."""
    # A single common hash may be chance or a common phrase; near-duplicates share many (benchmarks/dedup.py).
    found = (holders.get(value, ()) for value in shape.sketch)
    counts = Counter(chain.from_iterable(one for one in found if len(one) <= HOT))
    return [holder for holder, count in counts.most_common() if count >= MIN_SHARED]


def add_shapes(tx: Connection, known: Iterable[KnownShape], *, full: frozenset[tuple[int, int]]) -> None:
    """Add shapes, with postings for their hashes that are not hot. These articles must not have shapes yet."""
    fresh = {one.article_id: one for one in known}
    if not fresh:
        return
    statement = insert(shapes).returning(shapes.c.number, shapes.c.article_id)
    numbers = tx.execute(statement, [_row(one) for _, one in sorted(fresh.items())]).all()
    rows = [
        (generation, value, number)
        for number, article_id in numbers
        for generation in (fresh[article_id].generation,)
        for value in fresh[article_id].shape.sketch
        if (generation, value) not in full
    ]
    if rows:
        _insert_postings(tx, rows)


def drop_shapes(tx: Connection, article_ids: Iterable[str]) -> None:
    """Delete the shapes and postings of these articles."""
    ids = sorted(set(article_ids))
    rows = [
        row
        for part in in_chunks(ids, CHUNK)
        for row in tx.execute(select(shapes).where(shapes.c.article_id.in_(part))).mappings()
    ]
    if not rows:
        return
    gone = [
        {"old_generation": row["generation"], "old_hash": value, "old_number": row["number"]}
        for row in rows
        for value in unpack("q", row["sketch"])
    ]
    key = and_(
        postings.c.generation == bindparam("old_generation"),
        postings.c.hash == bindparam("old_hash"),
        postings.c.number == bindparam("old_number"),
    )
    tx.execute(delete(postings).where(key), gone)
    tx.execute(delete(shapes).where(shapes.c.number.in_([row["number"] for row in rows])))


def replace_shape(tx: Connection, article_id: str, row: Mapping[str, Any] | None) -> None:
    """Set the article's shape to this row of the table; None removes it."""
    drop_shapes(tx, [article_id])
    if row is not None:
        add_shapes(tx, [_known(row, {})], full=frozenset())


def prune(tx: Connection, *, before: datetime) -> int:
    """Delete generations that ended before then, except recently fetched ones; returns the number of shapes.

    Articles of an archive are old, but must be compared with each other while it is imported.
    """
    is_old = shapes.c.generation < generation_of(before)
    lately = select(shapes.c.generation).join(articles, articles.c.article_id == shapes.c.article_id)
    kept = set(tx.execute(lately.where(is_old, articles.c.fetched_at >= before).distinct()).scalars())
    over = set(tx.execute(select(shapes.c.generation).where(is_old).distinct()).scalars()) - kept
    tx.execute(delete(postings).where(postings.c.generation.in_(over)))
    return tx.execute(delete(shapes).where(shapes.c.generation.in_(over))).rowcount


_OF_JSON = text("""
SELECT posting.generation, posting.hash, posting.number
FROM json_each(:wanted) AS part CROSS JOIN json_each(part.value) AS one CROSS JOIN postings AS posting
WHERE posting.generation = CAST(part.key AS INTEGER) AND posting.hash = one.value
""")
_OF_ARRAYS = text("""
SELECT posting.generation, posting.hash, posting.number
FROM unnest(CAST(:generations AS integer[]), CAST(:hashes AS bigint[])) AS one(generation, hash)
JOIN postings AS posting ON posting.generation = one.generation AND posting.hash = one.hash
ORDER BY 1, 2, 3
""")


def _read_holders(tx: Connection, wanted: Mapping[int, Iterable[int]]) -> Iterator[tuple[int, int, list[int]]]:
    """Yield (generation, hash, holders) for each hash that has holders, in order.

    One query looks up all hashes: compiling thousands of parameters costs more than the look-up, and so would one
    statement for each of the hundreds of generations that pages of many years have.
    """
    known: dict[int, int] = {}  # intern the numbers: each shape has one posting per hash
    # from the driver's cursor, row by row: widespread stories have half a million rows, and SQLAlchemy's cost more than
    # the look-up
    cursor: Any = tx.execute(*look_up(tx, {one: sorted(hashes) for one, hashes in sorted(wanted.items())})).cursor
    for (generation, value), rows in groupby(cursor, key=itemgetter(0, 1)):
        yield generation, value, [known.setdefault(number, number) for _, _, number in rows]


def look_up(tx: Connection, wanted: Mapping[int, Sequence[int]]) -> tuple[TextClause, dict[str, object]]:
    """Return the statement that finds the holders of hashes by generation, and its parameters."""
    if tx.dialect.name == "sqlite":
        return _OF_JSON, {"wanted": orjson.dumps(wanted, option=orjson.OPT_NON_STR_KEYS).decode()}
    pairs = [(generation, value) for generation, hashes in wanted.items() for value in hashes]
    return _OF_ARRAYS, {"generations": [one for one, _ in pairs], "hashes": [value for _, value in pairs]}


def _insert_postings(tx: Connection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Insert (generation, hash, number) rows without SQLAlchemy's overhead per row, which exceeds the insert's cost."""
    names = [column.name for column in postings.columns]
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql(str(insert(postings).compile(dialect=tx.dialect)), list(rows))
        return
    arrays = [
        bindparam(name, list(values), ARRAY(BigInteger))
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    ]
    tx.execute(insert(postings).from_select(names, select(text("*")).select_from(func.unnest(*arrays))))


def _read_shapes(tx: Connection, numbers: Iterable[int]) -> dict[int, KnownShape]:
    shapes_of_texts: dict[Shape, Shape] = {}  # copies of one story share one shape, which is large
    return {
        row["number"]: _known(row, shapes_of_texts)
        for part in in_chunks(sorted(numbers), CHUNK)
        for row in tx.execute(select(shapes).where(shapes.c.number.in_(part))).mappings()
    }


def _row(known: KnownShape) -> dict[str, object]:
    return {
        "article_id": known.article_id,
        "algorithm": known.shape.algorithm,
        "generation": known.generation,
        "told_at": known.told_at,
        "host": known.host,
        "words": known.shape.words,
        "sketch": pack("q", known.shape.sketch),
        "shingles": known.shape.packed_shingles,
        "numbers": known.shape.packed_numbers,
        "vocabulary": known.shape.packed_vocabulary,
        "names": known.shape.packed_names,
    }


def _known(row: Mapping[Any, Any], shapes_of_texts: dict[Shape, Shape]) -> KnownShape:
    shape = Shape(
        algorithm=row["algorithm"],
        words=row["words"],
        sketch=unpack("q", row["sketch"]),
        packed_shingles=row["shingles"],
        packed_numbers=row["numbers"],
        packed_vocabulary=row["vocabulary"] or b"",
        packed_names=row["names"] or b"",
    )
    shape = shapes_of_texts.setdefault(shape, shape)
    return KnownShape(article_id=row["article_id"], told_at=row["told_at"], host=row["host"], shape=shape)
