"""What the documents of one origin say together of any of its pages. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.politeness.rights.documents import SiteDocument
from tasks.politeness.rights.mapping import UNREAD
from tasks.politeness.rights.robots_rights import NO_RIGHTS, RobotsRights
from tasks.politeness.rights.rsl import USAGES, Licences, licence_signals
from tasks.politeness.robots import RobotsPolicy
from tasks.politeness.tdmrep import Reservations
from tasks.values.rights import RAW_LENGTH, RSL, TDMREP, UNREADABLE
from tasks.values.rows import Signal

OPEN = RobotsPolicy.allow_all()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLicence:
    """An RSL licence that a site or a page names: its address, what it says, and the document, where there is one.

    With `is_read` False it was never looked up: nothing may be taken for granted.
    """

    url: str
    licences: Licences
    document: SiteDocument | None
    is_read: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRights:
    """The documents in force at an origin, for one agent; a part without its document was asked for by an older version.

    `waits_until` is when the next of those that were never looked up may be.
    """

    policy: RobotsPolicy = OPEN
    robots: RobotsRights = NO_RIGHTS
    robots_document: SiteDocument | None = None
    tdm: Reservations | None = None
    tdm_document: SiteDocument | None = None
    licences: tuple[NamedLicence, ...] = ()
    waits_until: datetime | None = None

    @property
    def documents(self) -> tuple[SiteDocument, ...]:
        """The documents that are there."""
        several = (self.robots_document, self.tdm_document, *(one.document for one in self.licences))
        return tuple(one for one in several if one is not None)

    def signals_for(self, url: str) -> tuple[Signal, ...]:
        """Return what they say of a page that robots.txt lets us fetch; raises BadUrl."""
        return tuple(self._signals(url))

    def with_licences(self, more: tuple[NamedLicence, ...], *, waits_until: datetime | None = None) -> "SiteRights":
        """Return it with licences that a page names itself."""
        known = {one.url for one in self.licences}
        licences = (*self.licences, *(one for one in more if one.url not in known))
        return replace(self, licences=licences, waits_until=waits_until or self.waits_until)

    def _signals(self, url: str) -> Iterator[Signal]:
        yield from self.robots.signals_for(url, policy_id=_id(self.robots_document))
        if self.tdm is not None:
            yield from tdm_signals(self.tdm, url, policy_id=_id(self.tdm_document))
        for one in self.licences:
            if one.is_read:
                yield from licence_signals(one.licences, url, policy_id=_id(one.document))
            else:
                yield Signal(signal=RSL, scope="", value=UNREAD, raw=one.url[:RAW_LENGTH], policy_id=None)


def tdm_signals(tdm: Reservations, url: str, *, policy_id: str | None) -> Iterator[Signal]:
    """Yield what a tdmrep.json says of a page, nothing where no rule matches it; raises BadUrl."""
    if not tdm.is_readable:
        yield Signal(signal=TDMREP, scope="", value=UNREADABLE, raw="", policy_id=policy_id)
    elif rule := tdm.rule_for(url):
        value = f"tdm-reservation={int(rule.is_reserved)}"
        yield Signal(signal=TDMREP, scope=rule.location[:RAW_LENGTH], value=value, raw=rule.raw, policy_id=policy_id)


def tdm_statements(tdm: Reservations) -> tuple[Signal, ...]:
    """Return all that a tdmrep.json says."""
    if not tdm.is_readable:
        return (Signal(signal=TDMREP, scope="", value=UNREADABLE, raw="", policy_id=None),)
    return tuple(
        Signal(
            signal=TDMREP,
            scope=one.location[:RAW_LENGTH],
            value=f"tdm-reservation={int(one.is_reserved)}",
            raw=one.raw,
            policy_id=None,
        )
        for one in tdm.rules
    )


def licence_statements(licences: Licences) -> tuple[Signal, ...]:
    """Return all that an RSL document says."""
    if licences.fault is not None:
        return (Signal(signal=RSL, scope="", value=UNREADABLE, raw=licences.fault[:RAW_LENGTH], policy_id=None),)
    return tuple(
        Signal(
            signal=RSL,
            scope=f"{one.origin or ''}{one.pattern}"[:RAW_LENGTH],
            value=f"{usage}={answer}",
            raw=one.raw,
            policy_id=None,
        )
        for one in licences.contents
        for usage, answer in zip(USAGES, one.answers, strict=True)
    )


def _id(document: SiteDocument | None) -> str | None:
    return document.policy_id if document else None
