"""What a stranger names that cannot be stored or asked for: refused, counted by its reason, and no cost to the rest. Pure."""

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager

from tasks.errors import BadUrl, ForbiddenScheme, ItemError, UnexpectedError
from tasks.runtime.guarding import guarded_item
from tasks.values.feed import Refusal
from tasks.values.url import Url, without_breaks
from tasks.web.charset import with_query_in

FURNITURE = frozenset({ForbiddenScheme.reason})
"""What is no fault where a page links to it: mailto:, javascript:."""


class Refusals:
    """URLs and entries that were refused so far; those of the `ignored` reasons are not counted."""

    def __init__(self, *, ignored: Container[str] = ()) -> None:
        self._ignored = ignored
        self._by_reason: dict[str, Refusal] = {}

    def note(self, error: ItemError) -> None:
        """Count one; the first of each reason is kept for people."""
        reason = error.counted_as
        if reason not in self._ignored:
            before = self._by_reason.get(reason)
            number, detail = (before.number + 1, before.detail) if before else (1, error.detail)
            self._by_reason[reason] = Refusal(reason=reason, number=number, detail=detail)

    def url(self, link: str | None, *, base_url: str, charset: str = "utf-8") -> Url | None:
        """Return a link as announced, absolute; None where there is none, or none that can be stored.

        `charset` is that of an HTML page, in which its queries are written.
        """
        if isinstance(link, Url):
            return link
        # an ampersand escaped once too often is the commonest fault of links
        text = without_breaks(link or "").replace("&amp;", "&")
        if not text:
            return None
        try:
            return Url.parse(with_query_in(text, charset), base=base_url)
        except (BadUrl, ForbiddenScheme) as error:
            self.note(error)
            return None

    @contextmanager
    def guarded(self, item: str) -> Iterator[None]:
        """Handle one entry: what is wrong with it, or unexpected, is counted and ends here."""
        try:
            with guarded_item(item):
                yield
        except ItemError as error:
            self.note(error)

    def add(self, others: Iterable[Refusal]) -> None:
        """Count what another reading refused."""
        for one in others:
            before = self._by_reason.get(one.reason, one)
            number = one.number + (before.number if before is not one else 0)
            self._by_reason[one.reason] = Refusal(reason=one.reason, number=number, detail=before.detail)

    @property
    def unexpected(self) -> int:
        """How many entries met an exception that is not ours."""
        found = self._by_reason.get(UnexpectedError.reason)
        return found.number if found else 0

    def listed(self) -> tuple[Refusal, ...]:
        """Return what was refused, by reason."""
        return tuple(self._by_reason.values())
