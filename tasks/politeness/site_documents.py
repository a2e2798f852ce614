"""Documents other than robots.txt in which a site permits and refuses uses: RSL licences and tdmrep.json.

At most `budget.documents_a_day` of these (default one) are looked up per origin and day: first a document never seen,
then the one looked up longest ago. Meanwhile, what was read earlier stays in force.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tasks.config.catalogue import SourceRules
from tasks.errors import ItemError
from tasks.politeness.keeping import Kept, Locks
from tasks.politeness.limiter import HostWaits, RateLimiter
from tasks.politeness.rights.documents import SiteDocument, document_of
from tasks.politeness.rights.ledger import Ledger
from tasks.politeness.rights.links import MAX_LICENCES, licence_url
from tasks.politeness.rights.rsl import NAMESPACE, Licences, parse_rsl
from tasks.politeness.rights.site import NamedLicence, SiteRights, licence_statements, tdm_statements
from tasks.politeness.robots import MAX_ROBOTS_SIZE, RobotsPolicy
from tasks.politeness.site_files import MAX_POLICIES, SiteFiles, evidence_of, mark_of
from tasks.politeness.tdmrep import TDMREP_PATH, Reservations, parse_tdmrep
from tasks.values.permit import RobotsAnswer
from tasks.values.rights import PolicyKind
from tasks.values.rows import Signal
from tasks.values.url import Url
from tasks.web.exchange import Exchange

RSL_ACCEPT = "application/rsl+xml, application/xml;q=0.9, */*;q=0.5"
TDM_ACCEPT = "application/json, */*;q=0.5"
LEDGER = "documents"

T = TypeVar("T", Licences, Reservations)


@dataclass(slots=True)
class _Shelf:
    """The documents of one origin, for one kind of requester, as this client knows them.

    `answers`: None for what is unavailable. What is `seen` but not in `answers` waits for another day. `ahead`: how far
    the index's clock is ahead of the local one. `spent`: look-ups made by this client. `waits_until`: until when the
    host of another origin wants no request.
    """

    name: str
    ledger: Ledger = field(default_factory=Ledger)
    answers: dict[str, RobotsAnswer | None] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    ahead: timedelta = timedelta(0)
    spent: int = 0
    waits_until: datetime | None = None

    def is_spent(self, a_day: int) -> bool:
        """Whether today's look-ups are used up."""
        return self.spent >= a_day or self.ledger.is_spent(now=self.now(), a_day=a_day)

    def now(self) -> datetime:
        """Return the time by the index's clock."""
        return _now() + self.ahead

    def free_at(self, a_day: int) -> datetime:
        """Return when the next document may be looked up."""
        free_at = self.ledger.free_at(a_day=a_day, now=_now())
        return max(free_at, self.waits_until) if self.waits_until else free_at


class SiteDocuments:
    """The documents of the sites that one client visits."""

    def __init__(self, files: SiteFiles, limiter: RateLimiter) -> None:
        self._files = files
        self._limiter = limiter
        self._shelves: dict[str, _Shelf] = {}
        self._looking: Locks[str] = Locks()
        self._read: Kept[tuple[str, datetime], Licences | Reservations] = Kept(MAX_POLICIES)
        self._documents: Kept[tuple[str, datetime], SiteDocument] = Kept(MAX_POLICIES)

    async def rights(self, origin: str, rules: SourceRules, *, wants_tdm: bool) -> SiteRights:
        """Return what an origin's documents state, newly read or known. Raises ItemError, HostWaits.

        The documents are robots.txt, the licences that it names and, with `wants_tdm`, tdmrep.json.
        """
        read, answer = await self._files.robots(origin, rules)
        named = (licence_url(one, origin=origin) for one in read.rights.licences[:MAX_LICENCES])
        urls = tuple(dict.fromkeys(one for one in named if one is not None))
        tdm_url = Url(f"{origin}{TDMREP_PATH}")
        wanted = (*urls, *([tdm_url] if wants_tdm else ()))
        shelf = await self._look_up(origin, wanted, read.policy, rules)
        tdm, tdm_document = await self._tdm(origin, tdm_url, shelf) if wants_tdm else (None, None)
        licences = tuple([await self._licence(origin, url, shelf) for url in urls])
        is_waiting = (wants_tdm and tdm_url not in shelf.answers) or not all(one.is_read for one in licences)
        return SiteRights(
            policy=read.policy,
            robots=read.rights,
            robots_document=self._document(PolicyKind.ROBOTS, origin, answer, read.rights.statements),
            tdm=tdm,
            tdm_document=tdm_document,
            licences=licences,
            waits_until=shelf.free_at(rules.documents_a_day) if is_waiting else None,
        )

    async def with_licences(
        self, rights: SiteRights, origin: str, urls: Sequence[Url], rules: SourceRules
    ) -> SiteRights:
        """Return the rights of a page that names its own licences. Raises HostWaits."""
        wanted = urls[:MAX_LICENCES]
        shelf = await self._look_up(origin, wanted, rights.policy, rules)
        licences = tuple([await self._licence(origin, url, shelf) for url in wanted])
        waits_until = None if all(licence.is_read for licence in licences) else shelf.free_at(rules.documents_a_day)
        return rights.with_licences(licences, waits_until=waits_until)

    async def enclosed_licences(self, fetched: Exchange) -> tuple[NamedLicence, ...]:
        """Return the RSL document in a response body, if there is one."""
        if NAMESPACE.encode() not in fetched.content or len(fetched.content) > MAX_ROBOTS_SIZE:
            return ()
        licences = await self._files.read(parse_rsl, fetched.content, item=fetched.url)
        if licences.fault is not None:
            return ()
        answer = RobotsAnswer(
            origin=fetched.url, status=fetched.status, body=fetched.content, fetched_at=_now(),
            evidence=evidence_of(fetched, body=fetched.body).pack(),
        )  # fmt: skip
        document = self._document(
            PolicyKind.RSL, fetched.url.origin, answer, licence_statements(licences), max_age_days=licences.max_age_days
        )
        return (NamedLicence(url=fetched.url, licences=licences, document=document),)

    async def _look_up(self, origin: str, wanted: Sequence[Url], policy: RobotsPolicy, rules: SourceRules) -> _Shelf:
        """Request the documents whose turn it is, and return everything known. Raises HostWaits."""
        name = f"{origin}#{LEDGER}={mark_of(rules)}"
        shelf = self._shelves.setdefault(name, _Shelf(name))
        if shelf.seen.issuperset(wanted):
            return shelf
        async with self._looking.of(name):
            await self._load(shelf, wanted, rules)
            while (url := _next(shelf, wanted, rules)) is not None:
                shelf.seen.add(url)
                await self._ask(shelf, origin, Url(url), policy, rules)
            shelf.seen.update(wanted)
            if shelf.ledger.is_news(wanted, now=_now()):
                await self._save(shelf, shelf.ledger.naming(wanted, now=_now()), origin, policy, rules)
        return shelf

    async def _load(self, shelf: _Shelf, wanted: Iterable[Url], rules: SourceRules) -> None:
        if not shelf.seen:
            await self._load_ledger(shelf)
        for url in wanted:
            if url in shelf.answers:
                continue
            kept = await self._limiter.kept_answer(_name(url, rules))
            if kept is not None or shelf.ledger.was_looked_up(url):
                shelf.answers[url] = kept

    async def _load_ledger(self, shelf: _Shelf) -> None:
        if kept := await self._limiter.kept_answer(shelf.name):
            shelf.ledger = Ledger.unpack(kept.body)
            shelf.ahead = kept.fetched_at + kept.age - _now()

    async def _ask(self, shelf: _Shelf, origin: str, url: Url, policy: RobotsPolicy, rules: SourceRules) -> None:
        """Request one document. Its look-up is recorded first, so that other processes stay within the budget."""

        async def may_ask() -> bool:
            await self._load_ledger(shelf)
            if shelf.is_spent(rules.documents_a_day):
                return False
            shelf.spent += 1
            await self._save(shelf, shelf.ledger.looking(url, now=_now()), origin, policy, rules)
            return True

        kind = PolicyKind.TDMREP if url == f"{origin}{TDMREP_PATH}" else PolicyKind.RSL
        accept = TDM_ACCEPT if kind is PolicyKind.TDMREP else RSL_ACCEPT
        try:
            answer = await self._files.ask_document(
                _name(url, rules), url, rules, accept=accept, kind=kind, speaks_of=origin, may_ask=may_ask
            )
        except ItemError:  # the robots.txt of its host is unavailable
            shelf.answers.setdefault(url, None)
        except HostWaits as wait:
            if url.host == Url.of(origin).host:
                shelf.seen.discard(url)
                raise
            shelf.waits_until = wait.until  # a wait of another host does not delay this origin
        else:
            if answer is not None:
                shelf.answers[url] = answer

    async def _save(self, shelf: _Shelf, ledger: Ledger, origin: str, policy: RobotsPolicy, rules: SourceRules) -> None:
        shelf.ledger = ledger
        answer = RobotsAnswer(origin=shelf.name, status=204, body=ledger.pack(), fetched_at=_now())
        await self._files.note(answer, origin, policy, rules, form=LEDGER)

    async def _tdm(self, origin: str, url: Url, shelf: _Shelf) -> tuple[Reservations | None, SiteDocument | None]:
        """Return what a tdmrep.json states: nothing if it is unavailable, None if it was never looked up."""
        if url not in shelf.answers:
            return None, None
        answer = shelf.answers[url]
        if answer is None or not _is_good(answer):
            reservations = Reservations.none_said()
            return reservations, self._document(PolicyKind.TDMREP, origin, answer, ()) if answer else None
        reservations = await self._reading(parse_tdmrep, answer, url)
        return reservations, self._document(PolicyKind.TDMREP, origin, answer, tdm_statements(reservations))

    async def _licence(self, origin: str, url: Url, shelf: _Shelf) -> NamedLicence:
        """Return the RSL document at a URL. A document that is unavailable or not RSL grants nothing."""
        answer = shelf.answers.get(url)
        if answer is None:
            why = "it was not to be had" if url in shelf.answers else "it is not read yet"
            return NamedLicence(url=url, licences=Licences(fault=why), document=None, is_read=url in shelf.answers)
        if _is_good(answer):
            licences = await self._reading(parse_rsl, answer, url)
        else:
            licences = Licences(fault=f"not to be had: it answered {answer.status or 'nothing'}")
        statements = licence_statements(licences)
        document = self._document(PolicyKind.RSL, origin, answer, statements, max_age_days=licences.max_age_days)
        return NamedLicence(url=url, licences=licences, document=document)

    async def _reading(self, read: Callable[[bytes], T], answer: RobotsAnswer, url: Url) -> T:
        """Parse a document once: it applies to every page of its site."""
        key = (answer.origin, answer.fetched_at)
        known: T | None = self._read.get(key)  # type: ignore[assignment]  # each key has one type of value
        if known is None:
            known = await self._files.read(read, answer.body, item=url)
            self._read.keep(key, known)
        return known

    def _document(
        self,
        kind: PolicyKind,
        origin: str,
        answer: RobotsAnswer,
        statements: tuple[Signal, ...],
        *,
        max_age_days: float | None = None,
    ) -> SiteDocument | None:
        key = (f"{origin} {answer.origin}", answer.fetched_at)
        if (known := self._documents.get(key)) is None:
            known = document_of(kind, origin, answer, statements=statements, max_age_days=max_age_days)
            if known is not None:
                self._documents.keep(key, known)
        return known


def _name(url: str, rules: SourceRules) -> str:
    """Return the name under which a document is stored, for sources like this one."""
    return f"{url}#document={mark_of(rules)}"


def _next(shelf: _Shelf, wanted: Sequence[Url], rules: SourceRules) -> str | None:
    """Return the document to request, or None if none may be requested today.

    A document that pages named and that was never seen comes before those named now.
    """
    if shelf.is_spent(rules.documents_a_day):
        return None
    lookups = shelf.ledger.lookups
    urls = (*(url for url in lookups if not shelf.ledger.was_looked_up(url)), *wanted, *lookups)
    waiting = (url for url in urls if url not in shelf.seen and not _is_of_today(shelf.answers.get(url)))
    return shelf.ledger.next_of(waiting, now=shelf.now())


def _is_of_today(answer: RobotsAnswer | None) -> bool:
    return answer is not None and answer.age < timedelta(days=1)


def _is_good(answer: RobotsAnswer) -> bool:
    return answer.status is not None and 200 <= answer.status < 300


def _now() -> datetime:
    return datetime.now(UTC)
