"""Looks at what was taken down: a takedown may come while its URL is being fetched, or be reached by another URL. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tasks.errors import SkippedError
from tasks.values.look import Look
from tasks.values.takedown import KeptOut


def without_taken(looks: Sequence[Look], kept_out: KeptOut) -> tuple[tuple[Look, ...], int]:
    """Return the looks without those at what is kept out, and the number of those.

    A look at another URL that leads there stays, without anything of what it found.
    """
    if not kept_out:
        return tuple(looks), 0
    kept = [look for look in looks if not is_taken(look, kept_out)]
    return tuple(_emptied(look) if _leads_there(look, kept_out) else look for look in kept), len(looks) - len(kept)


def is_taken(look: Look, kept_out: KeptOut) -> bool:
    """Whether the URL that was asked for is kept out."""
    return kept_out.has_key(look.due.url_key) or kept_out.has_source(look.due.source_id)


def _leads_there(look: Look, kept_out: KeptOut) -> bool:
    return any(map(kept_out.has_url, _names(look)))


def _names(look: Look) -> Iterable[str]:
    """Yield the URLs that a look passed, and the one that its page says is its own."""
    yield from (*look.hops, look.captured.final_url)
    if look.page is not None and look.page.canonical_url:
        yield look.page.canonical_url


def _emptied(look: Look) -> Look:
    """Return the look as one that found nothing: only the fact that it was made is kept."""
    refused = look.labelled(SkippedError("", reason="taken_down"))
    capture = replace(
        refused.captured,
        final_url=look.captured.url,
        mime=None,
        charset=None,
        payload_digest=None,
        payload_size=None,
        warc_key=None,
        warc_offset=None,
        warc_length=None,
        etag=None,
        last_modified=None,
    )
    return replace(refused, capture=capture, hops=(), rendition=None, partial=None)
