"""Read a page's rights signals from headers, meta elements and inline licences. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice

from lxml.html import HtmlElement

from tasks.extract.metadata import Metadata
from tasks.politeness.rights.links import RSL_TYPE
from tasks.politeness.rights.page import MAX_SIGNALS, header_signals, inline_signals, meta_signals
from tasks.values.rows import Signal
from tasks.web.headers import robots_directives, tdm_reservation

_NO_ARCHIVE = frozenset({"noarchive", "nocache"})
_NO_AI = "noai"
_MAX_SCRIPTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Whether text and data mining is reserved, and whether archiving is refused; None if not stated."""

    tdm_reserved: bool | None
    noarchive: bool | None


def signals_of(
    tree: HtmlElement, metadata: Metadata, headers: Iterable[tuple[str, str]], *, token: str
) -> tuple[Signal, ...]:
    """Return the page's own rights signals; `token` is our crawler's name, `tree` must still have its scripts."""
    inline = (one.text or "" for one in islice(tree.iter("script"), _MAX_SCRIPTS) if _is_rsl(one))
    licensed = (signal for text in inline for signal in inline_signals(text, tree.base_url))
    return (
        *header_signals(headers, token=token),
        *islice(chain(meta_signals(metadata.metas, token=token), licensed), MAX_SIGNALS),
    )


def _is_rsl(script: HtmlElement) -> bool:
    return (script.get("type") or "").strip().lower() == RSL_TYPE


def rights_of(metadata: Metadata, headers: Iterable[tuple[str, str]]) -> Rights:
    """Return the page's rights; `headers` have lower-case names, which may repeat.

    The stricter of two answers counts. A `noai` directive reserves if nothing else states it.
    """
    fields = tuple(headers)
    directives = robots_directives((*(value for name, value in fields if name == "x-robots-tag"), *metadata.robots))
    said = {metadata.tdm_reserved, *(tdm_reservation(value) for name, value in fields if name == "tdm-reservation")}
    is_reserved = True if True in said else False if False in said else None
    return Rights(
        tdm_reserved=True if is_reserved is None and _NO_AI in directives else is_reserved,
        noarchive=bool(directives & _NO_ARCHIVE) if directives else None,
    )
