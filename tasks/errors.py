"""Every error that Presslake raises, and what happens to the item concerned.

    PresslakeError
    ├── ItemError            one URL failed: caught per item, becomes a Failure, affects no other page
    │   ├── TransientError   stays due, backoff with jitter
    │   │   ├── DnsFailed, ConnectFailed, TlsFailed, ConnectionLost, TimedOut, BodyTruncated
    │   │   ├── ServerBusy             408, 425, 429, 5xx; may carry Retry-After
    │   │   ├── Deferred               the host requires a wait, and got no request
    │   │   └── RobotsUnavailable      robots.txt 5xx or unreachable (RFC 9309, 2.3.1.4)
    │   ├── RefusedError     dropped with its reason; looked at again days later
    │   │   ├── HttpRefused            401, 403, 404, 451 and other 4xx
    │   │   ├── PaymentRequired        401 and 402 that ask for a licence or a price
    │   │   ├── BadUrl, ForbiddenScheme, ForbiddenAddress, TooManyRedirects
    │   │   ├── BodyTooLarge, DecompressionBomb, BadContentEncoding, BadResponse
    │   │   └── NotAFeed               counted against the feed, see discover
    │   ├── GoneError        410: never again, unless announced later
    │   ├── SkippedError     labelled, not a failure: nothing went wrong
    │   │   ├── RobotsDisallowed
    │   │   │   └── RobotsTooCostly    a verdict would exceed the limit of work
    │   │   ├── RightsReserved         of text and data mining, if the source has `obey_tdm`
    │   │   ├── RightsRefused          for a purpose of the source, if that is obeyed
    │   │   ├── NotAnArticle
    │   │   └── (foreign_host, redirected_home, not_html and soft_404 have no class of their own: nothing catches them)
    │   └── PoisonError      quarantined with its payload; the pool goes on
    │       ├── ExtractorCrashed, ExtractorTimedOut, TooManyElements
    │       ├── FeedUnreadable         the parser of a feed was killed
    │       ├── EmptyExtraction        a long page without extracted text
    │       └── UnexpectedError        an exception that is not ours (tasks.runtime.guarding), or too many in one feed
    ├── StageError           raised out of a stage: Prefect retries the batch
    │   ├── LakeUnavailable
    │   ├── DamagedTable               a table's log, or a file that it names, is empty, cut short or gone
    │   ├── IndexUnavailable
    │   └── CorruptRecord              a segment is cut short, or its bytes are not those written
    │       └── RecordGone             a tombstone is in its place: it was taken down, or has expired
    ├── TooManyUnexpected    ends the run: so many items of a batch raised exceptions that the fault is ours
    ├── ConfigError          ends the run with one clear line, exit 2
    │   ├── CatalogueError
    │   ├── LakeFormatError
    │   └── ServerUnavailable
    └── Stopped              Ctrl-C or SIGTERM: what is stored is consistent, the rest is fetched by a later run

An error names its reason; everything else about a reason is in one table (tasks/reasons.py). Pure.
"""

from typing import ClassVar

from tasks.reasons import Disposition, find_reason

DETAIL_LENGTH = 500
"""The longest error detail that is kept, in characters."""

TRACE_LENGTH = 4000
"""The longest traceback that is kept, in characters."""


class PresslakeError(Exception):
    """Base of every error raised on purpose."""


class ItemError(PresslakeError):
    """One URL's failure: `reason` is counted, and decides what happens to the item (tasks/reasons.py).

    The message names the identifier; it may contain text from the web and is escaped when shown. Only errors that are
    caught somewhere have a class of their own; other reasons are passed as an argument.
    """

    reason: ClassVar[str] = "failed"

    def __init__(self, message: str = "", *, reason: str | None = None) -> None:
        super().__init__(message)
        self._given = reason

    @property
    def counted_as(self) -> str:
        """The reason under which it is counted: the argument, else the class attribute, unless a subclass overrides this."""
        return self._given or self.reason

    @property
    def detail(self) -> str:
        """The details for people, kept with the reason."""
        return str(self)[:DETAIL_LENGTH]

    @property
    def disposition(self) -> Disposition:
        """What happens to the item, from the table of reasons (tasks/reasons.py)."""
        known = find_reason(self.counted_as)
        return known.disposition if known else Disposition.DROPPED


class TransientError(ItemError):
    """Stays due: the next look may succeed. `retry_after_s` is the server's own wait, in seconds, or None."""

    def __init__(self, message: str, *, retry_after_s: float | None = None, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_s = retry_after_s


class DnsFailed(TransientError):
    reason = "dns_failed"


class ConnectFailed(TransientError):
    reason = "connect_failed"


class TlsFailed(TransientError):
    reason = "tls_failed"


class ConnectionLost(TransientError):
    reason = "connection_lost"


class TimedOut(TransientError):
    reason = "timed_out"


class BodyTruncated(TransientError):
    reason = "body_truncated"


class Deferred(TransientError):
    """The host requires a wait, and got no request."""

    reason = "deferred"


class RobotsUnavailable(TransientError):
    reason = "robots_unavailable"


class HttpStatusError(ItemError):
    """A response whose status says that it is not a page; counted as `http_<status>`."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status

    @property
    def counted_as(self) -> str:
        return f"http_{self.status}"


class ServerBusy(HttpStatusError, TransientError):
    """408, 425, 429 and every 5xx."""

    def __init__(self, message: str, *, status: int, retry_after_s: float | None = None) -> None:
        TransientError.__init__(self, message, retry_after_s=retry_after_s)
        self.status = status


class RefusedError(ItemError):
    """Dropped with its reason, and looked at again after days."""


class HttpRefused(HttpStatusError, RefusedError):
    """401, 403, 404, 451 and every other 4xx that does not ask for a wait."""


class PaymentRequired(RefusedError):
    """The site asks for a licence or a payment; we never pay. The message begins with what it asks for."""

    reason = "payment_required"


class BadUrl(RefusedError):
    reason = "bad_url"


class ForbiddenScheme(RefusedError):
    reason = "forbidden_scheme"


class ForbiddenAddress(RefusedError):
    """The name resolves to an address outside the public internet that no `allow_networks` names."""

    reason = "forbidden_address"


class TooManyRedirects(RefusedError):
    reason = "too_many_redirects"


class BodyTooLarge(RefusedError):
    reason = "too_large"


class DecompressionBomb(RefusedError):
    reason = "decompression_bomb"


class BadContentEncoding(RefusedError):
    reason = "bad_content_encoding"


class BadResponse(RefusedError):
    """The response is not valid HTTP."""

    reason = "bad_response"


class GoneError(HttpStatusError):
    """410 (RFC 9110, 15.5.11)."""


class SkippedError(ItemError):
    """Not an article, or not ours to read: labelled and counted under `skipped`, not `failed`."""


class RobotsDisallowed(SkippedError):
    reason = "robots_disallowed"


class RobotsTooCostly(RobotsDisallowed):
    """It is unknown whether robots.txt allows a URL, since evaluating its rules would exceed the limit of work."""

    reason = "robots_too_costly"


class RightsReserved(SkippedError):
    """Rights to text and data mining are reserved, and its source has `obey_tdm`."""

    reason = "tdm_reserved"


class RightsRefused(SkippedError):
    """A purpose of the source is refused, or has a price, and its source has `obey: exclude`.

    `answer` is the response, without its body, if its header refused.
    """

    reason = "rights_refused"

    def __init__(self, message: str = "", *, answer: object = None) -> None:
        super().__init__(message)
        self.answer = answer


class NotAnArticle(SkippedError):
    reason = "not_an_article"


class NotAFeed(RefusedError):
    reason = "not_a_feed"


class PoisonError(ItemError):
    """Cannot be processed: quarantined with its payload, so that a later extractor may try."""


class ExtractorCrashed(PoisonError):
    reason = "extractor_crashed"


class ExtractorTimedOut(PoisonError):
    reason = "extractor_timed_out"


class FeedUnreadable(PoisonError):
    """The process that read a feed, a sitemap, a listing or a front page died, or was killed at its limits."""

    reason = "feed_unreadable"


class TooManyElements(PoisonError):
    """Parsed, but too large for extraction within a page's limits."""

    reason = "too_many_elements"


class EmptyExtraction(PoisonError):
    """No text extracted from a page of more than 20 kB: a fault of ours, not an empty article."""

    reason = "empty_extraction"


class UnexpectedError(PoisonError):
    """An exception that is not ours while one item was processed; `trace` is its traceback, safe to store and show."""

    reason = "unexpected_error"

    def __init__(self, message: str, *, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace

    @property
    def detail(self) -> str:
        return f"{super().detail}\n{self.trace[:TRACE_LENGTH]}".rstrip()


class StageError(PresslakeError):
    """A stage cannot continue; nothing was acknowledged, so Prefect retries the batch."""


class LakeUnavailable(StageError):
    """The object store does not answer, or refuses to store."""


class DamagedTable(StageError):
    """A table's log, or a file that it names, is empty, truncated or missing: nothing is added or deleted based on it."""


class IndexUnavailable(StageError):
    """The database does not answer, or is read-only or locked past its time-out."""


class CorruptRecord(StageError):
    """A segment is cut short, or its bytes differ from those written."""


class RecordGone(CorruptRecord):
    """A tombstone is in the record's place, and `cause` says why: `taken_down` or `expired`."""

    def __init__(self, message: str = "", *, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class TooManyUnexpected(PresslakeError):
    """Unexpected exceptions affect too many items of a batch to be the items' fault; a retry would not help."""


class ConfigError(PresslakeError):
    """Wrong usage or configuration; the message is one line that names the mistake and the remedy."""


class CatalogueError(ConfigError):
    """The catalogue is missing or invalid; the message has the file and line."""


class LakeFormatError(ConfigError):
    """The lake has a newer format, or the location is not a lake."""


class ServerUnavailable(ConfigError):
    """The configured Prefect server does not answer, or the local one did not start."""


class Stopped(PresslakeError):
    """This process was asked to stop; the batch in progress was abandoned, and its URLs become due again."""
