"""The output of the other commands for 25 sources with every column filled, for tests/terminal.py."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta

from flows.cli.finding import hit_lines
from flows.cli.lake import maintain_tables, reindex_tables
from flows.cli.settings import HEAD, rows_of
from flows.cli.taking import CHANGE_HEAD, change_row
from flows.sweep.dry_run import tables as dry_run_tables
from tasks.backfill.report import BackfillReport
from tasks.backfill.report import tables as backfill_tables
from tasks.config.settings import Settings
from tasks.discover.preview import Preview
from tasks.export.changes import Change, Kind
from tasks.forget.plan import Copy, Plan, Selection
from tasks.forget.report import ForgetReport, plan_tables
from tasks.forget.report import tables as forget_tables
from tasks.forget.targets import TakedownTargets
from tasks.index.browsing import ListedArticle, ListedStory
from tasks.maintain.maintenance import MaintainReport
from tasks.replay.comparing import Difference, Result
from tasks.replay.report import ReplayReport
from tasks.replay.report import tables as replay_tables
from tasks.report.rights_chain import Chain, KeptDocument
from tasks.report.rights_report import DocumentChange, DomainRights, RightsReport
from tasks.report.stories import Stories
from tasks.search.searching import Hit
from tasks.search.snippets import Snippet
from tasks.values.display import Table
from tasks.values.look import DueUrl
from tasks.values.rights import PolicyKind, Purpose
from tasks.values.rows import Policy, Signal
from tasks.values.takedown import KeptOut, Scope
from tasks.values.url import Url
from tasks.verify.fault import Fault, FaultKind, SetAside, VerifyReport
from tasks.verify.reindex import ReindexReport
from tasks.verify.report import tables as verify_tables
from tests.rows import make_article

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBERS = range(25)
RUN = "6feafaec-d11f-41b2-b903-2671b522572{}"
TITLE = "Harbour council votes to rebuild the old ferry pier after a long and costly winter, number {}"
SEGMENT = "warc/dt=2026-03-01/20260301T120000Z-01124f4c91e0.warc.gz"


def source_id(number: int) -> str:
    """Return ids of various lengths."""
    return "local-daily-of-the-northern-harbour"[: 4 + number].strip("-") + f"-{number}"


def url(number: int) -> str:
    return f"https://www.{source_id(number)}.example/2026/03/01/{TITLE.format(number).lower().replace(' ', '-')[:40]}"


def ago(number: int) -> datetime:
    return NOW - timedelta(minutes=7) * (number + 1) ** 3


def others() -> dict[str, Callable[[], Iterable[Table]]]:
    """Return the tables that each command prints."""
    return {
        "ingest-dry-run": dry_run, "stories": stories, "changes": changes, "verify": verify, "replay": replay, "forget": forget,
        "backfill": backfill, "rights-report": rights_report, "rights-explain": rights_explain,
        "maintain": maintain, "reindex": reindex, "settings": settings,
    }  # fmt: skip


def maintain() -> Iterable[Table]:
    counts = {field.name: 1_234_567 for field in fields(MaintainReport)}
    return maintain_tables(MaintainReport(**{**counts, "is_dry_run": False, "seconds": 93.4}))


def reindex() -> Iterable[Table]:
    return reindex_tables(ReindexReport(**{field.name: 1_234_567 for field in fields(ReindexReport)}))


def settings() -> Iterable[Table]:
    environment = {"PRESSLAKE_LAKE": "s3://news/archive", "PREFECT_API_URL": "https://me:secret@prefect.example/api"}
    shown = Settings(
        lake=environment["PRESSLAKE_LAKE"], index="postgresql+psycopg://presslake:secret@db.example/presslake"
    )
    return [("", HEAD, rows_of(shown, {"index": shown.index}, environment))]


def search(width: int) -> Iterable[tuple[str, str]]:
    hits = [
        Hit(article_id=f"{n:032x}", revision=1, url=url(n), title=TITLE.format(n), source_id=source_id(n), language="pt-BR", at=ago(n),
            snippet=Snippet(text=f"… {TITLE.format(n)} {TITLE.format(n)} …"))
        for n in NUMBERS
    ]  # fmt: skip
    return hit_lines(hits, now=NOW, width=width)


def dry_run() -> Iterable[Table]:
    urls = tuple(
        DueUrl(url=Url.of(url(n)), url_key=url(n)[8:], host="", source_id=source_id(n), attempt=0, captured_at=ago(n) if n % 2 else None)
        for n in NUMBERS
    )  # fmt: skip
    found = Preview(
        run_id=RUN.format(0), polled=25, discovered=1300, would_fetch=1400, skipped={"link_bad_url": 7}, failed={"feed_http_404": 1}, urls=urls,
        seconds=9.0,
    )  # fmt: skip
    return dry_run_tables(found)


def stories() -> Iterable[Table]:
    found = tuple(
        (
            ListedStory(cluster_id=f"{n:032x}", articles=n + 2, sources=n + 1, first_at=ago(n), newest_at=ago(n) + timedelta(hours=n)),
            ListedArticle(
                article_id=f"{n:032x}", url=url(n), source_id=source_id(n), language="pt-BR", title=TITLE.format(n), revision=1, published_at=ago(n),
                first_seen_at=ago(n), fetched_at=ago(n), cluster_id=f"{n:032x}", duplicate_of=None, is_representative=True, shown_at=ago(n),
            ),
        )
        for n in NUMBERS
    )  # fmt: skip
    week = NOW.date() - timedelta(days=6)
    return Stories(first=week, last=NOW.date(), stories=found, newest_at=NOW).tables(now=NOW)


def changes() -> Iterable[Table]:
    found = [
        Change(kind=kind, change_seq=98_790 + n, article_id=f"{n:032x}", revision=n + 1, row=make_article(title=TITLE.format(n)))
        for n in NUMBERS
        for kind in Kind
    ]  # fmt: skip
    return [("", CHANGE_HEAD, [change_row(one) for one in found])]


def verify() -> Iterable[Table]:
    faults = tuple(
        Fault(kind=kind, place=f"{SEGMENT}:98790+56558", detail=f"{kind.value.replace('_', ' ')}, of {url(1)}", key="", is_mended=True)
        for kind in FaultKind
    )  # fmt: skip
    aside = tuple(
        SetAside(verify_id=f"20260301T12000{n}Z-01124f4c", made_at=ago(n), objects=n, size=98_790) for n in range(3)
    )
    names = ("segments", "records", "captures", "articles", "urls", "clusters", "edges", "policies", "batches")
    return verify_tables(
        VerifyReport(
            checked=dict.fromkeys(names, 1_234_567), found={one.kind.value: 1 for one in faults}, faults=faults, mended=len(faults) - 1, seconds=93.4,
            set_asides=aside,
        )
    )  # fmt: skip


def replay() -> Iterable[Table]:
    counts = {one.value: 999 for one in Result}
    differences = tuple(
        Difference(url=url(n), source_id=source_id(n), result=Result.CHANGED, parts=("words", "authors"), size=n, diff="") for n in NUMBERS
    )  # fmt: skip
    found = ReplayReport(
        is_dry_run=True, pages=9_999, **counts, by_source={source_id(n): counts for n in NUMBERS}, failures={"not_an_article": 9},
        differences=differences, rows_changed=9, rows_gone=1, estimated_s=9.0, seconds=93.4, stopped="90 of the first 100 pages failed",
    )  # fmt: skip
    return replay_tables(found)


def forget() -> Iterable[Table]:
    copies = tuple(Copy(article_id=f"{n:032x}", url=url(n), how="near_duplicate") for n in NUMBERS)
    taken = TakedownTargets(
        kept_out=KeptOut(), article_ids={source_id(n) for n in NUMBERS}, url_keys={url(n) for n in NUMBERS}
    )
    plan = Plan(selection=Selection(scope=Scope.SOURCE, names=(source_id(1),)), digests=(), taken=taken, copies=copies)
    done = ForgetReport(
        takedown_id="20260301T120000Z-01124f4c", is_dry_run=False, articles=1, revisions=1_234, captures=5_678, segments_rewritten=9, copies=25,
        versions={"articles": 98, "captures": 790}, notes=("Backups made before may have it.",) * 2, seconds=9.0,
    )  # fmt: skip
    return [*plan_tables(plan), *forget_tables(done)]


def backfill() -> Iterable[Table]:
    counts = {"new": 1_200, "near_duplicate": 4}
    found = BackfillReport(
        run_id=RUN.format(0), is_dry_run=False, archives=1, units=9, records=98_790, pages=1_204, articles=counts, skipped={"not_html": 9},
        failed={"http_404": 7}, quarantined=1, troubles=tuple(f"/archives/{SEGMENT}: damaged at byte {n}" for n in NUMBERS), seconds=93.4,
    )  # fmt: skip
    return backfill_tables(found)


def rights_report() -> Iterable[Table]:
    answers = {purpose: {"n": 12, "payment": 3, "y": 99} for purpose in Purpose}
    domains = tuple(
        DomainRights(
            domain=f"{source_id(n)}.example", articles=n * 99, unrecorded=n, answers=answers, reserved_by={"robots-ai": 12, "tdmrep": 3}, since=ago(n)
        )
        for n in NUMBERS
    )  # fmt: skip
    changed = tuple(
        DocumentChange(
            domain=f"{source_id(n)}.example", kind="robots", url=f"https://www.{source_id(n)}.example/robots.txt", observed_at=ago(n),
            policy_id=f"{n:032x}", before_id="",
        )
        for n in NUMBERS
    )  # fmt: skip
    return RightsReport(purposes=tuple(Purpose), domains=domains, changes=changed, policies=25).tables()


def rights_explain() -> Iterable[Table]:
    policy = Policy(
        policy_id="a" * 32, origin="https://www.daily.example", kind=PolicyKind.ROBOTS.value, url="https://www.daily.example/robots.txt",
        observed_at=ago(20), last_seen_at=ago(1), valid_until=None, status=200, body_digest="", warc_key=SEGMENT, warc_offset=98_790,
        warc_length=56_558, statements=(),
    )  # fmt: skip
    signal = Signal(
        signal="content-usage",
        scope="/2026/*",
        value="train-ai=n",
        raw="Content-Usage: /2026/* train-ai=n",
        policy_id="a" * 32,
    )
    chain = Chain(
        url=url(1), fetched_at=ago(1), article_id="b" * 32, revision=2, reason=None, detail="robots.txt was read an hour before",
        page=f"{SEGMENT}:98790+56558", signals=(signal,) * 3, documents=(KeptDocument(policy=policy, state="whole", body=b""),),
    )  # fmt: skip
    return chain.tables()
