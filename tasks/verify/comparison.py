"""Compare index and lake, and check each by itself: one query per kind of fault, which gives key, place and detail.

`?1` is an instant (microseconds): what was fetched after it is not compared, since a running sweep's latest captures
are not published yet. `?2` is the instant before which URLs that are gone or dropped for good may have been deleted
from the index.
"""

from collections.abc import Iterator

from tasks.values.takedown import KeptOut
from tasks.verify.fault import Fault, FaultKind
from tasks.verify.snapshot import Snapshot

_LAKE = {
    FaultKind.DUPLICATE_REVISION: """
        SELECT article_id, 'articles: ' || article_id || ', revision ' || revision || ', ' || url_key,
            count(*) || ' rows, in ' || group_concat(DISTINCT place)
        FROM revision GROUP BY article_id, revision HAVING count(*) > 1""",
    FaultKind.DUPLICATE_CAPTURE: """
        SELECT capture_id, 'captures: ' || capture_id || ', ' || url_key,
            count(*) || ' rows, in ' || group_concat(DISTINCT place)
        FROM capture GROUP BY capture_id HAVING count(*) > 1""",
    FaultKind.CAPTURE_WITHOUT_REVISION: """
        SELECT article_id, 'captures: ' || capture_id || ', ' || url_key,
            'it names article ' || article_id || ', revision ' || revision || ', which has no row in articles'
        FROM capture WHERE revision IS NOT NULL AND fetched_at < ?1 AND NOT EXISTS
            (SELECT 1 FROM revision AS r WHERE r.article_id = capture.article_id AND r.revision = capture.revision)
        GROUP BY article_id, revision""",
    FaultKind.REVISION_WITHOUT_CAPTURE: """
        SELECT article_id, 'articles: ' || article_id || ', revision ' || revision || ', ' || url_key,
            'its fetch has no row in captures'
        FROM revision WHERE fetched_at < ?1 AND NOT EXISTS
            (SELECT 1 FROM capture AS c WHERE c.warc_key = revision.warc_key AND c.warc_offset = revision.warc_offset)""",
}

_POLICIES = {
    FaultKind.ARTICLE_WITHOUT_POLICY: """
        SELECT policy_id, 'policies: ' || policy_id, 'it has no row, and ' || count(*) || ' revisions name it, of '
            || min(article_id) || ' among others'
        FROM named_policy AS n WHERE fetched_at < ?1
            AND NOT EXISTS (SELECT 1 FROM policy AS p WHERE p.policy_id = n.policy_id)
        GROUP BY policy_id""",
    FaultKind.POLICY_WITHOUT_ROW: """
        SELECT policy_id, 'index: policy ' || policy_id, 'it has no row in the lake'
        FROM known_policy AS k WHERE observed_at < ?1
            AND NOT EXISTS (SELECT 1 FROM policy AS p WHERE p.policy_id = k.policy_id)""",
    FaultKind.ROW_WITHOUT_POLICY: """
        SELECT policy_id, 'policies: ' || policy_id, 'the index does not know it'
        FROM policy WHERE observed_at < ?1 AND policy_id NOT IN (SELECT policy_id FROM known_policy)
        GROUP BY policy_id""",
}

_BOTH = {
    FaultKind.ARTICLE_WITHOUT_ROW: """
        SELECT article_id, 'index: article ' || article_id || ', ' || url_key,
            'its revision ' || revision || ' has no row in the lake'
        FROM article WHERE fetched_at < ?1 AND NOT EXISTS
            (SELECT 1 FROM revision AS r WHERE r.article_id = article.article_id AND r.revision = article.revision)""",
    FaultKind.ROW_WITHOUT_ARTICLE: """
        SELECT article_id, 'articles: ' || article_id || ', revision ' || revision || ', ' || url_key,
            'the index does not know it'
        FROM newest WHERE fetched_at < ?1 AND article_id NOT IN (SELECT article_id FROM article)""",
    FaultKind.ARTICLE_BEHIND: """
        SELECT a.article_id, 'index: article ' || a.article_id || ', ' || a.url_key,
            'it is at revision ' || a.revision || ', the lake at ' || n.revision
        FROM article AS a JOIN newest AS n USING (article_id) WHERE n.fetched_at < ?1
            AND (n.fetched_at, n.revision) > (a.fetched_at, a.revision)""",
    # digests of two algorithms cannot be compared: `maintain` moves articles in the index first
    FaultKind.ARTICLE_DIFFERS: """
        SELECT a.article_id, 'index: article ' || a.article_id || ', ' || a.url_key,
            'not as the lake has it: ' || trim(
                CASE WHEN a.text_digest <> n.text_digest THEN 'text digest ' ELSE '' END ||
                CASE WHEN a.content_digest <> n.content_digest THEN 'content digest ' ELSE '' END ||
                CASE WHEN a.url_key <> n.url_key THEN 'URL ' ELSE '' END ||
                CASE WHEN a.source_id <> n.source_id THEN 'source ' ELSE '' END ||
                CASE WHEN a.published_at IS NOT n.published_at THEN 'published at ' ELSE '' END ||
                CASE WHEN a.first_seen_at <> n.first_seen_at THEN 'first seen at' ELSE '' END)
        FROM article AS a JOIN newest AS n ON n.article_id = a.article_id AND n.revision = a.revision
        WHERE n.fetched_at < ?1 AND ((a.text_digest <> n.text_digest
                AND substr(a.text_digest, 1, instr(a.text_digest, ':')) = substr(n.text_digest, 1, instr(n.text_digest, ':')))
            OR (a.content_digest <> n.content_digest AND substr(a.content_digest, 1, instr(a.content_digest, ':'))
                = substr(n.content_digest, 1, instr(n.content_digest, ':')))
            OR a.url_key <> n.url_key
            OR a.source_id <> n.source_id OR a.published_at IS NOT n.published_at
            OR (a.first_seen_at <> n.first_seen_at AND NOT (a.first_seen_at < n.first_seen_at
                AND a.cluster_id IN (SELECT cluster_id FROM stale_cluster))))""",
    # rows may change while a sweep and `maintain` run; ?1 is then an instant, and nothing is compared
    FaultKind.CLUSTER_TOLD_WRONG: """
        SELECT c.cluster_id, 'articles: ' || r.article_id || ', revision ' || r.revision || ', ' || r.url_key,
            'it is one of ' || r.cluster_size || ' in cluster ' || r.cluster_id || ', says its row; the index says one of '
                || c.size || ' in ' || c.cluster_id || ', of which ' || c.earliest || ' is the earliest'
        FROM revision AS r JOIN article AS a ON a.article_id = r.article_id JOIN cluster AS c ON c.cluster_id = a.cluster_id
        WHERE (r.cluster_id <> a.cluster_id OR r.is_representative <> a.is_representative
                OR r.cluster_size <> c.size OR r.cluster_earliest <> c.earliest)
            AND ?1 = 4611686018427387904 AND c.cluster_id NOT IN (SELECT cluster_id FROM stale_cluster)
        GROUP BY c.cluster_id""",
    # the index deletes URLs that are gone for good after a while
    FaultKind.CAPTURE_WITHOUT_URL: """
        SELECT url_key, 'captures: ' || url_key, count(*) || ' rows, and the frontier does not know the URL'
        FROM capture WHERE fetched_at < ?1 AND url_key NOT IN (SELECT url_key FROM url) GROUP BY url_key
        HAVING max(fetched_at) >= ?2 OR outcome IN ('ok', 'not_modified')""",  # of its last look
    # retention deletes the oldest captures
    FaultKind.URL_WITHOUT_CAPTURE: """
        SELECT url_key, 'frontier: ' || url_key, 'it was captured, and has no row in captures'
        FROM url WHERE captured_at < ?1 AND captured_at >= (SELECT coalesce(min(fetched_at), 0) FROM capture)
            AND state IN ('done', 'dropped', 'gone', 'quarantined')
            AND NOT EXISTS (SELECT 1 FROM capture AS c WHERE c.url_key = url.url_key)""",
}

_INDEX = {
    FaultKind.URL_WITHOUT_ARTICLE: """
        SELECT url_key, 'frontier: ' || url_key, 'it is ' || state || ' as article ' || article_id || ', which does not exist'
        FROM url WHERE article_id IS NOT NULL AND article_id NOT IN (SELECT article_id FROM article)""",
    FaultKind.BROKEN_LEASE: """
        SELECT url_key, 'frontier: ' || url_key,
            CASE state WHEN 'leased' THEN 'leased to nobody, or for ever'
                ELSE 'it is ' || state || ' and still leased to ' || lease_owner END
        FROM url WHERE (state = 'leased' AND (lease_owner IS NULL OR lease_until IS NULL))
            OR (state <> 'leased' AND lease_owner IS NOT NULL)""",
    FaultKind.UNKNOWN_STATE: """
        SELECT url_key, 'frontier: ' || url_key, 'its state is ' || quote(state)
        FROM url WHERE state NOT IN ('due', 'leased', 'done', 'dropped', 'gone', 'quarantined')""",
    FaultKind.NEVER_DUE: """
        SELECT url_key, 'frontier: ' || url_key, 'it is due, without an instant'
        FROM url WHERE state = 'due' AND due_at IS NULL""",
    FaultKind.TORN_CLUSTER: """
        SELECT a.article_id, 'index: cluster ' || a.cluster_id || ' and ' || b.cluster_id,
            a.article_id || ' and ' || b.article_id || ' are near-duplicates in two clusters'
        FROM edge JOIN article AS a ON a.article_id = edge.a JOIN article AS b ON b.article_id = edge.b
        WHERE edge.kind = 'near_duplicate' AND a.cluster_id <> b.cluster_id""",
    FaultKind.UNKNOWN_CLUSTER: """
        SELECT cluster_id, 'index: cluster ' || cluster_id,
            count(*) || ' articles belong to it, without the one whose name it has'
        FROM article GROUP BY cluster_id HAVING max(article_id = cluster_id) = 0""",
    FaultKind.WRONG_REPRESENTATIVES: """
        SELECT cluster_id, 'index: cluster ' || cluster_id,
            sum(is_representative) || ' of its ' || count(*) || ' articles represent it'
        FROM article GROUP BY cluster_id HAVING sum(is_representative) <> 1""",
    # a revision may change an article's date: the earliest before that then stays representative
    FaultKind.LATE_REPRESENTATIVE: """
        SELECT cluster_id, 'index: cluster ' || cluster_id, 'another article is earlier than its representative'
        FROM article GROUP BY cluster_id
        HAVING sum(is_representative) = 1 AND max(revision) = 1
            AND min(told_at) < max(CASE WHEN is_representative THEN told_at END)""",
    FaultKind.EDGE_WITHOUT_ARTICLE: """
        SELECT a || ' ' || b || ' ' || kind, 'index: ' || kind || ' edge from ' || a || ' to ' || b,
            'one of its ends is not an article'
        FROM edge WHERE a NOT IN (SELECT article_id FROM article)
            OR (kind <> 'syndicated' AND b NOT IN (SELECT article_id FROM article))""",
    FaultKind.SHAPE_WITHOUT_ARTICLE: """
        SELECT article_id, 'index: shape of ' || article_id, 'its article does not exist'
        FROM shape WHERE article_id NOT IN (SELECT article_id FROM article)""",
}

_LEASES = """
SELECT lease_owner, url_key FROM url WHERE state = 'leased' AND lease_owner IS NOT NULL AND lease_until IS NOT NULL
"""


def compare(snapshot: Snapshot, *, settled_before: int, forgotten_before: int) -> Iterator[Fault]:
    """Yield the differences between index and lake, and the faults of each; both instants in microseconds."""
    for kind, query in {**_LAKE, **_POLICIES, **_BOTH, **_INDEX}.items():
        values = (settled_before, forgotten_before)[: 2 if "?2" in query else "?1" in query]
        for key, place, detail in snapshot.ask(query, *values):
            yield Fault(kind=kind, place=place, detail=detail, key=key)


def compare_index(snapshot: Snapshot) -> Iterator[Fault]:
    """Yield the faults of the index itself, whatever the lake has."""
    for kind, query in _INDEX.items():
        for key, place, detail in snapshot.ask(query):
            yield Fault(kind=kind, place=place, detail=detail, key=key)


def find_stale_leases(snapshot: Snapshot, live_runs: frozenset[str]) -> Iterator[Fault]:
    """Yield the URLs that are leased to a run that has ended or died, or that never existed."""
    for owner, url_key in snapshot.ask(_LEASES):
        if owner not in live_runs:
            detail = f"leased to run {owner}, which is not running"
            yield Fault(kind=FaultKind.STALE_LEASE, place=f"frontier: {url_key}", detail=detail, key=url_key)


_ROWS = """
SELECT url_key, source_id, article_id, 'articles' FROM revision
UNION ALL SELECT url_key, '', capture_id, 'captures' FROM capture
UNION ALL SELECT url_key, '', url_key, 'frontier' FROM url
"""


def find_taken_rows(snapshot: Snapshot, kept_out: KeptOut) -> Iterator[Fault]:
    """Yield the rows of lake and index that takedowns keep out."""
    if not kept_out:
        return
    for url_key, source_id, key, table in snapshot.ask(_ROWS):
        if kept_out.has_key(url_key) or kept_out.has_source(source_id):
            detail = "it was taken down, but is present"
            yield Fault(kind=FaultKind.TAKEN_DOWN, place=f"{table}: {key}", detail=detail, key=key)
