"""Prepare looks for decisions, and turn decisions into rows and counts. Pure.

Everything possible is computed before the index is locked. Other URLs of a page, from redirects or its own declaration,
are claims and not identities: they count only while the texts are equal, so that no page can take over another's
article.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tasks.config.catalogue import SourceRules
from tasks.deduplicate.clusters import Clusters
from tasks.deduplicate.judge import Verdict
from tasks.deduplicate.resemblance import article_time
from tasks.deduplicate.retry_policy import state_after
from tasks.errors import ItemError, TooManyUnexpected, UnexpectedError
from tasks.index.articles import KnownArticle
from tasks.index.frontier import Settlement
from tasks.reasons import Disposition
from tasks.runtime.guarding import check_share, guarded_item, store_rows
from tasks.values.batch import Batch
from tasks.values.look import Look
from tasks.values.page import Page, PreparedPage
from tasks.values.reports import BatchReport, Failure
from tasks.values.rows import Article, Capture, Outcome
from tasks.values.takedown import TAKEN_DOWN, KeptOut
from tasks.values.text.content import content_digest, possible_digests
from tasks.values.text.fingerprint import fingerprint_of
from tasks.values.url import Url

REDIRECT, CANONICAL = "redirect", "canonical"

SHOWN_FAILURES = 200
"""The most failures of a batch that are stored individually. All of them are counted."""


def prepare_pages(batch: Batch) -> Batch:
    """Prepare the batch's pages. Pages that cannot be prepared are quarantined."""
    unexpected: list[UnexpectedError] = []

    def prepare(look: Look) -> Look:
        if look.page is None:
            return look
        try:
            with guarded_item(look.due.url):
                return prepared(look)
        except UnexpectedError as error:
            unexpected.append(error)
            return look.labelled(error)

    looks = tuple(prepare(look) for look in batch.looks)
    check_share(unexpected, of=len(batch.captured), what="captures")
    return replace(batch, looks=looks)


def without_culprits(batch: Batch, error: ItemError, rehearse: Callable[[Batch], None]) -> Batch:
    """Quarantine the looks that cause an exception, after the whole batch raised `error`.

    `rehearse` decides a part of the batch and rolls back. Raises TooManyUnexpected, also if no single look is at fault.
    """

    def rehearse_part(looks: Sequence[Look]) -> None:
        rehearse(replace(batch, looks=tuple(looks)))

    found = store_rows(batch.captured, rehearse_part)
    if not found:
        raise TooManyUnexpected(
            f"batch {batch.batch_id} failed as a whole with an exception: {error.detail}"
        ) from error
    check_share([met for _, met in found], of=len(batch.captured), what="captures")
    looks = (next((one.labelled(met) for one, met in found if one is look), look) for look in batch.looks)
    return replace(batch, looks=tuple(looks))


def prepared(look: Look) -> Look:
    """Return the look with what the decision about its page needs."""
    page, asked, final = look.extracted, look.due.url, look.final_url
    made = PreparedPage(
        host=final.host,
        told_at=article_time(page.published_at or look.due.announced_at, look.captured.fetched_at),
        text=page.fingerprint or fingerprint_of(page.text),
        content=content_of(page),
        names=aliases_on_site(asked, look.due.url_key, redirects=(final, *look.hops), canonical=page.canonical_url),
        elsewhere=keys_elsewhere(asked, (*look.hops, final)),
        syndicated_key=syndicated_key(page.syndicated_from, final),
    )
    return replace(look, prepared=made)


def content_of(page: Page) -> str:
    """Return the digest of a page's own content, without a title or date from its feed."""
    return content_digest(title=page.title, text=page.text, authors=page.authors, published_at=page.published_at)


def aliases_on_site(
    url: str, own_key: str, *, redirects: Sequence[str] = (), canonical: str | None = None
) -> Mapping[str, str]:
    """Return the keys of these URLs on the site of `url` that differ from its own key, with how they are known."""
    names: dict[str, str] = {}
    for how, name in (*((REDIRECT, hop) for hop in redirects), (CANONICAL, canonical)):
        key = _key_on_site(name, url) if name else None
        if key is not None and key != own_key:
            names.setdefault(key, how)
    return names


def keys_elsewhere(url: str, passed: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of those URLs that are on other sites than `url`."""
    return tuple(dict.fromkeys(key for one in passed if (key := _key_elsewhere(one, url)) is not None))


def syndicated_key(syndicated_from: str | None, final_url: str) -> str | None:
    """Return the key of the article on another site that a page declares as its original, or None."""
    return _key_elsewhere(syndicated_from, final_url) if syndicated_from else None


def _key_on_site(url: str, asked: str) -> str | None:
    try:
        one = Url.of(url)
        # careless templates name the site's root on every page
        return one.key if one.is_same_site(Url.of(asked)) and one.key.partition("/")[2] else None
    except ItemError:
        return None


def _key_elsewhere(url: str, page_url: str) -> str | None:
    try:
        one = Url.of(url)
        return None if one.is_same_site(Url.of(page_url)) else one.key
    except ItemError:
        return None


def is_same_rendition(asked: str, name: str, how: str, key: str) -> bool:
    """Whether two links lead to one rendition: by a redirect, a shared third name, or with only the query different.

    A mobile page is at another path than the page that it names as canonical, so it is another rendition.
    """
    return how == REDIRECT or key != name or asked.partition("?")[0] == key.partition("?")[0]


def article_row(
    look: Look,
    prepared: PreparedPage,
    verdict: Verdict,
    *,
    url_key: str,
    known: KnownArticle | None,
    changes: tuple[str, ...] | None = None,
) -> Article:
    """Return the row of a new revision.

    Fields that the page lacks are taken from its feed entry. The row is its own cluster until the whole batch is
    decided. `known`: the article, if it has other revisions. `url_key`: the article's.
    """
    capture, page = look.captured, look.extracted
    return Article(
        article_id=verdict.article_id,
        revision=verdict.revision,
        url=capture.url,
        canonical_url=page.canonical_url,
        syndicated_from=page.syndicated_from,
        url_key=url_key,
        source_id=capture.source_id,
        host=prepared.host,
        title=page.title or look.due.announced_title,
        text=page.text,
        lede=page.lede,
        authors=page.authors,
        published_at=page.published_at or look.due.announced_at,
        published_at_offset_s=page.published_at_offset_s,
        modified_at=page.modified_at,
        language=page.language,
        section=page.section,
        tags=page.tags,
        image_url=page.image_url,
        word_count=page.word_count,
        page_type=page.page_type,
        paywalled=page.paywalled,
        tdm_reserved=page.tdm_reserved,
        noarchive=page.noarchive,
        novelty=verdict.novelty,
        cluster_id=verdict.article_id,
        is_representative=True,
        cluster_size=1,
        cluster_earliest=verdict.article_id,
        duplicate_of=verdict.duplicate_of,
        similarity=verdict.similarity,
        first_seen_at=min(known.first_seen_at, capture.fetched_at) if known else capture.fetched_at,
        fetched_at=capture.fetched_at,
        extracted_at=look.extracted_at or capture.fetched_at,
        extractor=page.extractor,
        quality=page.quality,
        text_digest=prepared.text.digest,
        payload_digest=str(capture.payload_digest),
        warc_key=str(capture.warc_key),
        warc_offset=int(capture.warc_offset or 0),
        warc_length=int(capture.warc_length or 0),
        content_digest=prepared.content,
        changes=changes,
        markdown=page.markdown,
        policy_ids=look.policy_ids or None,  # null means unknown, as for pages from a backfill
        rights=(*look.rights, *page.rights),
        origin_uri=capture.origin_uri,
        origin_offset=capture.origin_offset,
    )


def in_clusters(rows: Iterable[Article], clusters: Clusters) -> tuple[Article, ...]:
    """Return new revisions with their final clusters."""
    return tuple(
        replace(
            row,
            cluster_id=clusters.find(row.article_id),
            is_representative=clusters.is_earliest(row.article_id),
            cluster_earliest=clusters.earliest_in(row.article_id),
        )
        for row in rows
    )


def known_after(article: Article, before: KnownArticle | None = None) -> KnownArticle:
    """Return the known state of an article after this revision; `before` is the state until then.

    The newest revision by `fetched_at` counts; of an older one, from an archive, only the content is noted. For rows
    older than content digests, all possible digests are noted.
    """
    digests = possible_digests(article) if article.content_digest is None else (article.content_digest,)
    own = [(article.revision, digest) for digest in digests]
    if before and (article.fetched_at, article.revision) < (before.fetched_at, before.revision):
        seen = replace(before, first_seen_at=min(before.first_seen_at, article.first_seen_at))
        return _numbered(seen, article, before).with_contents(own)
    values = {name: getattr(article, name) for name in KnownArticle.__dataclass_fields__ if hasattr(article, name)}
    contents = [*before.earlier_contents, *own] if before else own
    if before and before.content_digest and before.revision != article.revision:
        contents.append((before.revision, before.content_digest))
    return _numbered(KnownArticle(**values), article, before).with_contents(contents)


def _numbered(known: KnownArticle, article: Article, before: KnownArticle | None) -> KnownArticle:
    """Set the highest revision number ever used, if it is not the newest revision's own."""
    numbers = (article.revision, before.revision, before.last_revision or 0) if before else (article.revision,)
    last = max(numbers)
    return replace(known, last_revision=last if last > known.revision else before.last_revision if before else None)


def settle(
    capture: Capture,
    disposition: Disposition | None,
    *,
    now: datetime,
    previous_digest: str | None,
    partial: str | None = None,
    look_again_at: datetime | None = None,
) -> Settlement:
    """Return the new state of the frontier row. `previous_digest` is that of the last payload with a page.

    `look_again_at` is when an article is fetched again (next_look).
    """
    digest = hashlib.sha256(f"{capture.url_key}{capture.attempt}".encode()).digest()
    spread = int.from_bytes(digest[:2], "big") / 0xFFFF  # derived from the URL, so that a rebuilt index has the same
    state, due_at = state_after(disposition, capture.reason, attempt=capture.attempt, spread=spread, now=now)
    if disposition is None:
        due_at = look_again_at
    has_page = capture.outcome in {Outcome.OK, Outcome.NOT_MODIFIED}
    return Settlement(
        url_key=capture.url_key,
        state=state,
        due_at=due_at,
        attempts=0 if has_page else capture.attempt,
        outcome=capture.outcome,
        reason=capture.reason,
        # keep validators only for a payload that was read; otherwise a 304 would hide a page that was not
        etag=capture.etag if has_page else None,
        last_modified=capture.last_modified if has_page else None,
        payload_digest=capture.payload_digest if has_page else previous_digest,
        captured_at=capture.fetched_at,
        article_id=capture.article_id,
        partial=None if has_page else partial,
    )


def report_of(batch_id: str, decided: Sequence[Look], articles: Iterable[Article] = ()) -> BatchReport:
    """Count a decided batch: each capture once, by outcome, and the doubtful ones of `articles`."""
    looks = tuple(look.captured for look in decided)
    outcomes = Counter(one.outcome for one in looks)
    pages = [one for one in looks if one.outcome is Outcome.OK]
    return BatchReport(
        batch_id=batch_id,
        fetched=len(pages),
        not_modified=outcomes[Outcome.NOT_MODIFIED],
        articles=dict(Counter(str(one.novelty) for one in pages)),
        skipped=dict(Counter(str(one.reason) for one in looks if one.outcome is Outcome.SKIPPED)),
        failed=dict(Counter(str(one.reason) for one in looks if one.outcome is Outcome.FAILED)),
        quarantined=outcomes[Outcome.QUARANTINED],
        doubtful=dict(Counter(one.source_id for one in articles if one.is_doubtful)),
        payload_size=sum(one.payload_size or 0 for one in looks),
        host_ms=_slowest_answers(decided),
        segments=tuple(sorted({one.warc_key for one in looks if one.warc_key})),
        failures=tuple(_failures(decided))[:SHOWN_FAILURES],
        again=sum(look.disposition is Disposition.STAYS_DUE for look in decided),
    )


def with_taken_down(report: BatchReport, number: int) -> BatchReport:
    """Add this number of URLs as taken down: nothing about them is stored, not even a capture."""
    skipped = {**report.skipped, TAKEN_DOWN: report.skipped.get(TAKEN_DOWN, 0) + number}
    return replace(report, skipped=skipped) if number else report


def without_taken_down(looks: Sequence[Look], kept_out: KeptOut) -> tuple[tuple[Look, ...], int]:
    """Drop looks whose URL or source was taken down during the fetch; returns the rest and the number dropped.

    A look at another URL that leads there stays, without its result.
    """
    if not kept_out:
        return tuple(looks), 0
    left = [look for look in looks if not look.is_kept_out(kept_out)]
    kept = tuple(look.emptied() if any(map(kept_out.has_url, look.names)) else look for look in left)
    return kept, len(looks) - len(kept)


def with_source_labels(rows: Iterable[Article], rules: Mapping[str, SourceRules]) -> list[Article]:
    """Return the rows with their sources' tags and country from the catalogue."""
    return [
        row
        if (known := rules.get(row.source_id)) is None
        else replace(row, source_tags=known.tags, source_country=known.country)
        for row in rows
    ]


def _slowest_answers(looks: Iterable[Look]) -> dict[str, int]:
    slowest: dict[str, int] = {}
    for one in looks:
        if one.captured.status is not None:
            slowest[one.due.host] = max(slowest.get(one.due.host, 0), one.captured.elapsed_ms)
    return slowest


def _failures(looks: Iterable[Look]) -> Iterable[Failure]:
    for one in looks:
        capture = one.captured
        if capture.outcome in {Outcome.FAILED, Outcome.QUARANTINED} and one.disposition is not None:
            yield Failure(
                url=capture.url,
                source_id=capture.source_id,
                reason=str(capture.reason),
                disposition=one.disposition,
                detail=capture.detail or "",
                happened_at=capture.fetched_at,
            )
