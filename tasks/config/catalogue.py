"""The catalogue of sources: `sources.yaml` into values; mistakes are reported with file and line.

It reads that file and the files of URLs that it names. Everything else here is pure.
"""

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tasks.config.fields import (
    Country,
    CrawlDelay,
    Days,
    DocumentsADay,
    Flag,
    Follow,
    Language,
    MaxNew,
    MaxPerHost,
    Network,
    Pattern,
    PollInterval,
    Render,
    Selector,
    SourceId,
    SweepShare,
    Tag,
    Url,
    Urls,
    UserAgent,
)
from tasks.config.options import NO_OPTIONS, ExtractOptions, PruneRule
from tasks.config.retention import KeptDays, RetentionRules
from tasks.errors import CatalogueError
from tasks.values.feed import FeedKind
from tasks.values.rights import NO_OBEDIENCE, Obedience, Obey, Purpose
from tasks.values.url import MAX_URL_LENGTH
from tasks.values.user_agent import product_token

DEFAULT_USER_AGENT = "Presslake/0.1 (+https://github.com/presslake/presslake)"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Poll(_Model):
    """Bounds of the time between two polls of one feed, in seconds."""

    min_s: PollInterval = Field(600.0, description="Shortest time, whatever the feed requests.")
    max_s: PollInterval = Field(86_400.0, description="Longest time, whatever the feed requests.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min_s > self.max_s:
            why = f"min_s ({self.min_s:g}) should not be more than max_s ({self.max_s:g})"
            raise PydanticCustomError("poll", "{why}", {"why": why})
        return self


class Budget(_Model):
    """How much of a sweep and of a day one source may use; the rest of its URLs wait."""

    new_urls_a_day: MaxNew = Field(100_000, description="URLs that its feeds may add per UTC day.")
    new_hosts_a_day: MaxNew = Field(1000, description="Hosts that its feeds may add per UTC day.")
    sweep_share: SweepShare = Field(
        0.5, description="Share of PRESSLAKE_SWEEP_S that its URLs may take in a sweep of several sources."
    )
    documents_a_day: DocumentsADay = Field(
        1, description="Requests for licences and tdmrep.json per origin and day, without robots.txt."
    )


class Retention(_Model):
    """How many days payloads and texts are kept; without a number they are kept for ever."""

    payload_days: Days | None = Field(
        None, description="Days after which `maintain` removes the pages as received from the segments."
    )
    text_days: Days | None = Field(
        None, description="Days after which `maintain` removes titles, ledes and texts from the articles."
    )


class Selectors(_Model):
    """Selectors for the parts of an article on a source's pages."""

    title: Selector | None = Field(
        None, description="The headline: an element or an attribute; the first match counts."
    )
    text: Selector | None = Field(None, description="The elements that contain the text, in order.")
    date: Selector | None = Field(
        None, description="When it was published: a time or meta element, an attribute, or text in ISO 8601."
    )


# shared by sources that set nothing: a copy each would take 1.5 kB
_NO_RETENTION, _NO_SELECTORS = Retention(), Selectors()


class Extract(_Model):
    """Special rules for reading a source's pages. Selectors are XPath 1.0."""

    prune: Flag = Field(True, description="Remove boilerplate before looking for the article.")
    prune_without: tuple[PruneRule, ...] = Field(
        (), description="Pruning rules to disable because they damage this source's pages."
    )
    keep: tuple[Selector, ...] = Field((), description="Elements that are never removed as boilerplate.")
    selectors: Selectors = Field(
        default_factory=lambda: _NO_SELECTORS, description="Where the parts of an article are."
    )

    def to_options(self) -> ExtractOptions:
        """Return the rules as a plain value for worker processes."""
        where = self.selectors.model_dump()
        return ExtractOptions(is_pruned=self.prune, prune_without=self.prune_without, keep=self.keep, **where)


_NO_EXTRACT = Extract()


class Defaults(_Model):
    """The values for every source that does not set its own."""

    user_agent: UserAgent = Field(DEFAULT_USER_AGENT, description="The user agent; include a contact page or address.")
    crawl_delay_s: CrawlDelay = Field(
        1.0, description="Seconds between two requests to one host; robots.txt may require more."
    )
    max_per_host: MaxPerHost = Field(1, description="Concurrent requests to one host.")
    allow_networks: tuple[Network, ...] = Field(
        (), description="Non-public networks that may be fetched, as CIDR; all others are refused."
    )
    obey_tdm: Flag = Field(
        False,
        description="Deprecated: use purpose and obey. Do not store articles from pages that reserve text and data mining rights; requests tdmrep.json.",
    )
    purpose: tuple[Purpose, ...] = Field(
        (Purpose.ARCHIVE,), description="What pages are kept for: archive, search, ai-input, ai-train."
    )
    obey: Obey = Field(
        Obey.RECORD,
        description="What happens to a page that its site refuses for such a purpose. record: the refusal is recorded. exclude: the page is not fetched or not kept. withhold: it is kept, but left out of exports for that purpose.",
    )
    poll: Poll = Field(default_factory=Poll, description="Limits of the time between two polls of a feed.")
    follow: Follow = Field("any", description="own: URLs on hosts that are not its own are left out.")
    budget: Budget = Field(default_factory=Budget, description="Limits on the work that one source may cause.")
    retention: Retention = Field(default_factory=Retention, description="How long pages and texts are kept.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRules:
    """The rules for fetching one source and choosing its URLs: its own values, else the defaults.

    `crawl_delay_s` is in seconds, as are `poll_min_s` and `poll_max_s`, between which its feeds are polled. `include`
    and `exclude` are regular expressions, searched in the URL. `tags` and `country` go into the rows of its articles.
    `own_urls` are the pages and feeds that the source's entry lists.
    """

    source_id: str = ""
    user_agent: str
    crawl_delay_s: float
    max_per_host: int
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    obedience: Obedience = NO_OBEDIENCE
    poll_min_s: float = 600.0
    poll_max_s: float = 86_400.0
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    render: Render = "none"
    extract: ExtractOptions = NO_OPTIONS
    tags: tuple[str, ...] = ()
    country: str | None = None
    own_urls: tuple[str, ...] = ()
    follow: Follow = "any"
    new_urls_a_day: int = 100_000
    new_hosts_a_day: int = 1000
    sweep_share: float = 0.5
    documents_a_day: int = 1


class Source(_Model):
    """An outlet that we follow."""

    id: SourceId = Field(
        description="Its name in the lake: lower-case letters, digits, hyphens.",
        json_schema_extra={"pattern": "^[a-z0-9-]{1,64}$"},
    )
    name: str = Field("", max_length=300, description="Its display name; default: the id.")
    home_url: Url | None = Field(None, description="Its front page.")
    feeds: tuple[Url, ...] = Field((), description="RSS, Atom or JSON Feed.")
    sitemaps: tuple[Url, ...] = Field((), description="Sitemaps, sitemap indexes, news sitemaps; .gz too.")
    listings: tuple[Url, ...] = Field((), description="Pages whose article links are followed, one level deep.")
    urls: Urls = Field((), description="Single articles, or the path (from this file) of a file of them, one a line.")
    language: Language | None = Field(None, description="Its language, as in BCP 47: en, pt-BR.")
    tags: tuple[Tag, ...] = Field(
        (), description="Names of your own, such as local or agency: source_tags in the lake."
    )
    country: Country | None = Field(
        None, description="Its country, as in ISO 3166-1: GB, br. It is source_country in the lake."
    )
    notes: str = Field("", max_length=10_000, description="Your notes; not used.")
    include: tuple[Pattern, ...] = Field((), description="Regular expressions: only URLs that match one are kept.")
    exclude: tuple[Pattern, ...] = Field((), description="Regular expressions: URLs that match one are left out.")
    render: Render = Field("none", description="browser: run the scripts of its pages before reading them.")
    user_agent: UserAgent | None = Field(None, description="As under defaults, for this source.")
    crawl_delay_s: CrawlDelay | None = Field(None, description="As under defaults, for this source.")
    max_per_host: MaxPerHost | None = Field(None, description="As under defaults, for this source.")
    allow_networks: tuple[Network, ...] | None = Field(None, description="As under defaults, for this source.")
    obey_tdm: Flag | None = Field(None, description="As under defaults, for this source.")
    purpose: tuple[Purpose, ...] | None = Field(None, description="As under defaults, for this source.")
    obey: Obey | None = Field(None, description="As under defaults, for this source.")
    poll: Poll | None = Field(None, description="As under defaults, for this source.")
    follow: Follow | None = Field(None, description="As under defaults, for this source.")
    budget: Budget | None = Field(None, description="As under defaults, for this source.")
    retention: Retention = Field(
        default_factory=lambda: _NO_RETENTION,
        description="As under defaults, for this source; unset numbers come from the defaults.",
    )
    extract: Extract = Field(
        default_factory=lambda: _NO_EXTRACT,
        description="Extraction rules for its pages if the general rules fail.",
    )

    @model_validator(mode="before")
    @classmethod
    def _name_by_id(cls, content: object) -> object:
        return {"name": content["id"], **content} if isinstance(content, dict) and content.get("id") else content

    def effective(self, defaults: Defaults) -> SourceRules:
        """Return this source's rules, completed with the defaults."""
        poll = defaults.poll if self.poll is None else self.poll
        budget = defaults.budget if self.budget is None else self.budget
        user_agent = defaults.user_agent if self.user_agent is None else self.user_agent
        return SourceRules(
            source_id=self.id,
            user_agent=user_agent,
            crawl_delay_s=defaults.crawl_delay_s if self.crawl_delay_s is None else self.crawl_delay_s,
            max_per_host=defaults.max_per_host if self.max_per_host is None else self.max_per_host,
            allow_networks=defaults.allow_networks if self.allow_networks is None else self.allow_networks,
            obedience=_obedience(
                defaults.purpose if self.purpose is None else self.purpose,
                defaults.obey if self.obey is None else self.obey,
                obeys_tdm=defaults.obey_tdm if self.obey_tdm is None else self.obey_tdm,
            ),
            poll_min_s=poll.min_s,
            poll_max_s=poll.max_s,
            include=self.include,
            exclude=self.exclude,
            render=self.render,
            extract=_options(self.extract, user_agent),
            tags=self.tags,
            country=self.country,
            own_urls=tuple(filter(None, (self.home_url, *(url for url, _ in self.feeds_of())))),
            follow=defaults.follow if self.follow is None else self.follow,
            new_urls_a_day=budget.new_urls_a_day,
            new_hosts_a_day=budget.new_hosts_a_day,
            sweep_share=budget.sweep_share,
            documents_a_day=budget.documents_a_day,
        )

    def feeds_of(self) -> tuple[tuple[str, FeedKind], ...]:
        """Return the feeds to poll, each URL once, with its kind. `urls` are articles, so they are not included."""
        kinds: dict[str, FeedKind] = {}
        for kind, urls in (
            (FeedKind.FEED, self.feeds),
            (FeedKind.SITEMAP, self.sitemaps),
            (FeedKind.LISTING, self.listings),
        ):
            for url in urls:
                kinds.setdefault(url, kind)
        return tuple(kinds.items())


@lru_cache(maxsize=256)  # shared by sources with equal rules
def _obedience(purposes: tuple[Purpose, ...], obey: Obey, *, obeys_tdm: bool) -> Obedience:
    return Obedience(purposes=purposes, obey=obey, obeys_tdm=obeys_tdm)


@lru_cache(maxsize=256)
def _options(extract: Extract, user_agent: str) -> ExtractOptions:
    return replace(extract.to_options(), crawler_name=product_token(user_agent).lower())


class Catalogue(_Model):
    """The sources that Presslake follows."""

    defaults: Defaults = Field(default_factory=Defaults, description="Values for sources that do not set their own.")
    sources: tuple[Source, ...] = Field(description="The outlets, at least one.", json_schema_extra={"minItems": 1})

    @field_validator("sources")
    @classmethod
    def _check_sources(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        if not sources:
            raise PydanticCustomError("sources", "should name at least one source")
        seen: set[str] = set()
        for index, source in enumerate(sources):
            if source.id in seen:
                raise PydanticCustomError("ids", "sources {at} has the same id as an earlier source", {"at": index})
            seen.add(source.id)
        return sources

    def retention(self) -> RetentionRules:
        """Return the retention rules of every source."""
        own = {source.id: _either(source.retention, self.defaults.retention) for source in self.sources}
        return RetentionRules(usual=_either(self.defaults.retention, Retention()), by_source=own)

    def rules(self) -> dict[str, SourceRules]:
        """Return the rules of every source, by id."""
        return {source.id: source.effective(self.defaults) for source in self.sources}

    def select(self, ids: Iterable[str]) -> Self:
        """Return the catalogue with only these sources, in its own order; without ids, all sources.

        Raises CatalogueError for an unknown id.
        """
        wanted = set(ids)
        known = [source.id for source in self.sources]
        for source_id in sorted(wanted - set(known)):
            raise CatalogueError(f"no source {source_id!r} in the catalogue{did_you_mean(source_id, known)}")
        kept = tuple(source for source in self.sources if not wanted or source.id in wanted)
        return self.model_copy(update={"sources": kept})


def _either(own: Retention, usual: Retention) -> KeptDays:
    return KeptDays(
        payload_days=own.payload_days or usual.payload_days,
        text_days=own.text_days or usual.text_days,
    )


def accepts(url: str, rules: SourceRules) -> bool:
    """Whether to keep a URL: it matches no `exclude`, and an `include` if there are any.

    URLs come from the web and patterns may backtrack: a URL over 4096 characters is not matched and not kept.
    """
    if len(url) > MAX_URL_LENGTH or any(pattern.search(url) for pattern in _compiled(rules.exclude)):
        return False
    return not rules.include or any(pattern.search(url) for pattern in _compiled(rules.include))


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


def catalogue_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `sources.yaml`, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Catalogue.model_json_schema()}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the most similar known name, worded as the end of a sentence; empty if none is similar."""
    close = difflib.get_close_matches(name[:100], list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


MAX_ID_LENGTH = 64


def new_id(name: str, known: Collection[str]) -> str:
    """Return an unused id derived from a name: lower-case letters, digits and hyphens."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[: MAX_ID_LENGTH - 4].strip("-") or "source"
    candidates = (stem, *(f"{stem}-{number}" for number in range(2, len(known) + 3)))
    return next(candidate for candidate in candidates if candidate not in known)
