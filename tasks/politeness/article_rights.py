"""What sites say of articles, looked up before they are asked for, and obeyed as the sources want (docs/rights.md)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tasks.config.owners import Owners
from tasks.errors import HttpRefused, ItemError, PaymentRequired, RightsRefused
from tasks.politeness.limiter import HostWaits
from tasks.politeness.rights.links import licence_elements, licence_links
from tasks.politeness.rights.mapping import UNREAD, exclusion
from tasks.politeness.rights.page import feed_signals, header_signals
from tasks.politeness.rights.payment import demanded_licences, payment_of
from tasks.politeness.rights.site import SiteRights
from tasks.politeness.robots import RobotsPolicy
from tasks.politeness.site_documents import SiteDocuments
from tasks.politeness.site_files import mark_of
from tasks.politeness.visits import Visit
from tasks.values.rights import Obedience, Obey
from tasks.values.rows import Signal
from tasks.values.url import Url
from tasks.values.user_agent import product_token
from tasks.web.exchange import Exchange

NO_SITE_RIGHTS = SiteRights()


class ArticleRights:
    """What the documents of the origins that one batch visits say of its articles."""

    def __init__(self, documents: SiteDocuments, owners: Owners) -> None:
        self._documents = documents
        self._owners = owners
        self._by_origin: dict[tuple[str, str], SiteRights] = {}

    async def learn(self, origin: str, articles: Sequence[Visit]) -> RobotsPolicy:
        """Return what an origin's robots.txt allows, and learn what all of its documents say; raises ItemError, HostWaits."""
        rules = articles[0].rules
        wants_tdm = any(self._obeyed(one, one.url).asks_tdm for one in articles)
        found = await self._documents.rights(origin, rules, wants_tdm=wants_tdm)
        key = (origin, mark_of(rules))
        if not wants_tdm and (held := self._by_origin.get(key)):  # a redirect may have led here on another's behalf
            found = replace(found, tdm=held.tdm, tdm_document=held.tdm_document)
        self._by_origin[key] = found
        return found.policy

    def check(self, one: Visit, url: Url) -> None:
        """Raise RightsRefused for an article that is refused before it is asked for, where that is obeyed.

        Raises HostWaits while a document that may refuse it is still to be read.
        """
        rights = self._by_origin.get((url.origin, mark_of(one.rules)))
        if one.is_article and rights is not None:
            said = (signal for signal in self._site_signals(one, url) if signal.value != UNREAD)
            _check_said(said, self._obeyed(one, url), url)
            _check_all_read(rights, self._obeyed(one, url))

    def check_head(self, one: Visit, answer: Exchange) -> None:
        """Raise RightsRefused for an article whose answer's header refuses it, where that is obeyed: its body is not read."""
        obeyed = self._obeyed(one, answer.url)
        if answer.status not in {200, 203} or not obeyed.is_excluding:
            return
        said = header_signals(answer.headers, token=product_token(one.rules.user_agent))
        _check_said((*self._site_signals(one, answer.url), *said), obeyed, answer.url)

    async def complete(self, one: Visit) -> Visit:
        """Return a visit that is over with what its site says of the article; raises ItemError, HostWaits.

        A page may name licences of its own, and so may an answer that asks for one: they are asked for now. Where refusals
        are obeyed, a page whose licence can be looked up another day only is asked for again then.
        """
        url = one.fetched.url if one.fetched else one.url
        rights = self._by_origin.get((url.origin, mark_of(one.rules)))
        if one.deferred_until is not None or rights is None:
            return one
        obeyed = self._obeyed(one, url)
        if one.is_article and one.fetched is not None:
            rights = await self._with_licences(rights, one, one.fetched)
            if one.error is None:
                _check_all_read(rights, obeyed)
        said = _signals(rights, one, url) if one.fetched else ()
        return replace(one, documents=rights.documents, obeyed=obeyed, rights=said)

    async def _with_licences(self, rights: SiteRights, one: Visit, fetched: Exchange) -> SiteRights:
        """Return what is said of a page with the licences that it names, or that a refusal of it asks for."""
        url = fetched.url
        if isinstance(one.error, PaymentRequired):
            rights = rights.with_licences(await self._documents.enclosed(fetched))
            urls = demanded_licences(fetched.headers, origin=url.origin)
        elif one.error is None:
            urls = _licences_of(fetched)
        else:
            return rights
        return await self._documents.with_licences(rights, url.origin, urls, one.rules) if urls else rights

    def _site_signals(self, one: Visit, url: Url) -> tuple[Signal, ...]:
        """Return what is said of a page before it is asked for: by the documents of its site, and by its feed."""
        rights = self._by_origin.get((url.origin, mark_of(one.rules)), NO_SITE_RIGHTS)
        return _signals(rights, one, url)

    def _obeyed(self, one: Visit, url: Url) -> Obedience:
        return self._owners.obedience_at(url.site, one.rules)


def _licences_of(fetched: Exchange) -> tuple[Url, ...]:
    """Return the RSL licences that a page's header and head name."""
    origin = fetched.url.origin
    named = (value for name, value in fetched.headers if name == "link")
    return (*licence_links(named, origin=origin), *licence_elements(fetched.content, origin=origin))


def _signals(rights: SiteRights, one: Visit, url: Url) -> tuple[Signal, ...]:
    of_feed = feed_signals(one.announced_rights, one.url) if one.announced_rights else ()
    said = rights.of_all  # most sites say the same of all pages
    return (*(rights.signals_for(url) if said is None else said), *of_feed)


def _check_said(signals: Iterable[Signal], obeyed: Obedience, url: Url) -> None:
    """Raise RightsRefused where what is said of a page excludes it."""
    if (excluded := exclusion(signals, obeyed)) is not None:
        raise RightsRefused(f"{excluded}, at {url}")


def _check_all_read(rights: SiteRights, obeyed: Obedience) -> None:
    """Raise HostWaits where refusals are obeyed and a document is still to be read that may refuse."""
    is_awaited = obeyed.obey is not Obey.RECORD or (obeyed.obeys_tdm and rights.tdm is None)
    if rights.waits_until is not None and is_awaited:
        raise HostWaits(rights.waits_until)


def payment_asked(fetched: Exchange, error: HttpRefused) -> ItemError:
    """Return a refusal as one that asks for a licence or a price, where it does."""
    asked = payment_of(fetched.status, fetched.headers, fetched.content, origin=fetched.url.origin)
    return error if asked is None else PaymentRequired(f"{asked} at {fetched.url}".strip())
