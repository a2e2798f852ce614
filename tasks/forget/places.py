"""Every place that may hold a text or a URL: its parts of the lake and the index, and the function that removes from it.

A test lists the lake, the tables of the index and the search index, and fails for any without an entry here. What to
remove is found through rows, so rows are removed after everything that is found through them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tasks.forget.documents import erase_documents, erase_scratch, erase_set_asides
from tasks.forget.index_rows import erase_index
from tasks.forget.policies import erase_policies
from tasks.forget.records import erase_records
from tasks.forget.rows import erase_rows
from tasks.forget.tables import delete_replaced
from tasks.forget.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place that may hold a text or a URL.

    `lake` are the prefixes of its keys, `tables` its tables of the index, `folder` a folder next to the index. `erase`
    removes from it what is taken down; None if the place holds neither text nor URL, and `why` says what it holds.
    """

    name: str
    lake: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    folder: str | None = None
    erase: Callable[[Work], None] | None
    why: str


def _delete_replaced(work: Work) -> None:
    work.versions = delete_replaced(work.index, work.store, work.taken)


PLACES = (
    Place(
        name="segments",
        lake=("warc",),
        erase=erase_records,
        why="what was sent and received: a tombstone takes the place of each record",
    ),
    Place(
        name="rows",
        lake=("articles", "captures"),
        tables=("articles", "shapes", "postings", "edges", "frontier", "aliases", "quarantine", "outbox"),
        erase=erase_rows,
        why="rows of all revisions and captures, with what the index knows of them",
    ),
    Place(
        name="replaced files",
        lake=("articles", "captures"),
        erase=_delete_replaced,
        why="files of older versions of the tables: deleted at once",
    ),
    Place(
        name="policies",
        lake=("policies",),
        tables=("policies",),
        erase=erase_policies,
        why="robots.txt and other documents of a host that goes whole",
    ),
    Place(name="documents", lake=("quarantine",), erase=erase_documents, why="documents about pages in quarantine"),
    Place(name="set aside", lake=("set-aside",), erase=erase_set_asides, why="what `verify --mend` took out"),
    Place(name="scratch", lake=("scratch",), erase=erase_scratch, why="units of work that are under way"),
    Place(
        name="index",
        tables=("feeds", "hosts", "robots", "runs", "batches", "source_alarms"),
        erase=erase_index,
        why="feeds, site files, paces, reports and alarms that name a URL or its host; the bytes of the file",
    ),
    Place(
        name="search index",
        folder="presslake-search",
        erase=lambda work: work.search(),
        why="the words of every article: thrown away, and made again by the next search",
    ),
    Place(
        name="removals",
        lake=("removals", "takedowns", "presslake.json"),
        tables=("taken_down",),
        erase=None,
        why="ids and digests",
    ),
    Place(
        name="counts",
        tables=(
            "facts",
            "counters",
            "capture_counts",
            "source_days",
            "source_tallies",
            "source_intake",
            "source_arrivals",
            "stale_clusters",
            "replayed",
            "archived",
            "places",
        ),
        erase=None,
        why="numbers by source and day, ids of clusters and captures, digests of domains with their addresses",
    ),
)
