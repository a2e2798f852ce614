"""The catalogue of sources: `sources.yaml` into values, each mistake told with its file and line.

Reads that file and the files of URLs that it names; everything else here is pure.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from cssselect import HTMLTranslator, SelectorError
from lxml.etree import Element, LxmlError, XPath
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from tasks.config.marked_yaml import compose, folded, line_at, plain_value, read_text
from tasks.config.options import NO_OPTIONS, ExtractOptions, PruneRule
from tasks.errors import BadUrl, CatalogueError, ForbiddenScheme
from tasks.values.feed import FeedKind
from tasks.values.url import MAX_URL_LENGTH, fetch_url

DEFAULT_USER_AGENT = "Presslake/0.1 (+https://github.com/presslake/presslake)"

_MAX_FILE_SIZE = 10_000_000
_MAX_URLS_SIZE = 50_000_000
_LANGUAGE: Final = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"  # the shape of BCP 47
_CSS = "css:"
_ID = re.compile(r"[a-z0-9-]{1,64}")


def _checked_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise PydanticCustomError("id", "should be lower-case letters, digits and hyphens, at most 64")
    return value


def _checked_user_agent(value: str) -> str:
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise PydanticCustomError("user_agent", "should be one line of ASCII, without white space around it")
    return value


def _checked_url(value: str) -> str:
    try:
        fetch_url(value)
    except (BadUrl, ForbiddenScheme) as error:
        raise PydanticCustomError("url", "should be a URL with http:// or https://, without a user name") from error
    return value.strip()


def _checked_pattern(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise PydanticCustomError("pattern", "is no regular expression: {why}", {"why": str(error)}) from error
    return value


def _checked_selector(value: str) -> str:
    """Return a selector as XPath 1.0; one that begins with `css:` is translated here, so that workers know one kind."""
    if value.startswith(_CSS):
        try:
            return HTMLTranslator().css_to_xpath(value.removeprefix(_CSS))
        except SelectorError as error:
            raise PydanticCustomError("selector", "is no CSS selector: {why}", {"why": str(error)}) from error
    try:
        # evaluated once, since names of functions and prefixes are looked up only then
        found = XPath(value)(Element("html"))
    except LxmlError as error:
        raise PydanticCustomError("selector", "is no XPath 1.0: {why}", {"why": str(error)}) from error
    if not isinstance(found, list | str):
        raise PydanticCustomError("selector", "should find elements, attributes or text, not a number or a truth")
    return value


def _checked_network(value: object) -> object:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError as error:
        why = str(error) if isinstance(value, str) else "should be quoted text"
        raise PydanticCustomError("network", "is no network such as 10.0.0.0/8: {why}", {"why": why}) from error


def _urls_of(value: object, info: ValidationInfo) -> object:
    """Read the file that `urls` names, relative to the catalogue; a list passes as it is."""
    if not isinstance(value, str):
        return value
    folder = (info.context or {}).get("folder")
    if folder is None or value.lower().startswith(("http://", "https://")):
        raise PydanticCustomError("urls", "should be a list of URLs, or the path of a file of them")
    try:
        text = read_text(Path(folder) / value, _MAX_URLS_SIZE)
    except CatalogueError as error:
        raise PydanticCustomError("urls", "{why}", {"why": str(error)}) from error
    return _urls_of_lines(text, value)


def _urls_of_lines(text: str, name: str) -> tuple[str, ...]:
    urls = []
    for number, line in enumerate(text.splitlines(), start=1):
        # a comment stands alone or after white space: a fragment is no comment
        url = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if not url:
            continue
        try:
            urls.append(_checked_url(url))
        except PydanticCustomError as error:
            why = f"{name}:{number}: {error.message()}"
            raise PydanticCustomError("urls", "{why}", {"why": why}) from error
    return tuple(urls)


Url = Annotated[str, AfterValidator(_checked_url), Field(json_schema_extra={"format": "uri", "pattern": "^https?://"})]
Pattern = Annotated[
    str, AfterValidator(_checked_pattern), Field(max_length=1000, json_schema_extra={"format": "regex"})
]
Network = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(_checked_network),
    WithJsonSchema({"type": "string", "examples": ["10.0.0.0/8"]}),
]
Urls = Annotated[
    tuple[Url, ...],
    BeforeValidator(_urls_of),
    WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "string", "format": "uri"}}, {"type": "string"}]}),
]
UserAgent = Annotated[str, AfterValidator(_checked_user_agent), Field(min_length=1, max_length=300)]
CrawlDelay = Annotated[float, Field(ge=0, le=86_400, strict=True, allow_inf_nan=False)]
Render = Literal["none", "browser"]
MaxPerHost = Annotated[int, Field(ge=1, le=16, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Selector = Annotated[str, AfterValidator(_checked_selector), Field(min_length=1, max_length=1000)]
PollInterval = Annotated[float, Field(ge=60, le=2_592_000, strict=True, allow_inf_nan=False)]

MaxNew = Annotated[int, Field(ge=1, le=10_000_000, strict=True)]
SweepShare = Annotated[float, Field(gt=0, le=1, strict=True, allow_inf_nan=False)]
Follow = Literal["any", "own"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Poll(_Model):
    """Bounds of the time between two polls of one feed, in seconds."""

    min_s: PollInterval = Field(600.0, description="Never sooner, whatever the feed's pace and wishes.")
    max_s: PollInterval = Field(86_400.0, description="Never later, whatever the feed's pace and wishes.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min_s > self.max_s:
            why = f"min_s ({self.min_s:g}) should not be more than max_s ({self.max_s:g})"
            raise PydanticCustomError("poll", "{why}", {"why": why})
        return self


class Budget(_Model):
    """How much of our work one source may be: what is beyond waits for another day, or another sweep."""

    new_urls_a_day: MaxNew = Field(100_000, description="URLs that its feeds may add a UTC day.")
    new_hosts_a_day: MaxNew = Field(1000, description="Hosts that its feeds may add a UTC day.")
    sweep_share: SweepShare = Field(
        0.5, description="Share of PRESSLAKE_SWEEP_S that its URLs may take, where a sweep looks at other sources too."
    )


class Selectors(_Model):
    """Where the parts of an article stand on a source's pages."""

    title: Selector | None = Field(None, description="The headline: an element or an attribute; the first counts.")
    text: Selector | None = Field(None, description="The elements whose text, one after the other, is the article's.")
    date: Selector | None = Field(
        None, description="When it was published: a time or meta element, an attribute, or text in ISO 8601."
    )


class Extract(_Model):
    """What is special in reading a source's pages. Selectors are XPath 1.0."""

    prune: Flag = Field(True, description="Take page furniture out before the article is looked for.")
    prune_without: tuple[PruneRule, ...] = Field((), description="Rules of that which do harm on this source's pages.")
    keep: tuple[Selector, ...] = Field((), description="Elements that are never taken out as furniture.")
    selectors: Selectors = Field(default_factory=Selectors, description="Where the parts of an article stand.")

    def to_options(self) -> ExtractOptions:
        """Return it as the plain value that workers are given."""
        where = self.selectors.model_dump()
        return ExtractOptions(is_pruned=self.prune, prune_without=self.prune_without, keep=self.keep, **where)


class Defaults(_Model):
    """What holds for every source that does not say otherwise."""

    user_agent: UserAgent = Field(
        DEFAULT_USER_AGENT, description="How we introduce ourselves; name a page or an address."
    )
    crawl_delay_s: CrawlDelay = Field(
        1.0, description="Seconds between two requests to one host; robots.txt may ask for more."
    )
    max_per_host: MaxPerHost = Field(1, description="Requests under way at once to one host.")
    allow_networks: tuple[Network, ...] = Field(
        (), description="Networks outside the public internet that may be fetched, as CIDR; all others are refused."
    )
    obey_tdm: Flag = Field(
        False,
        description="Make no article of a page whose rights to text and data mining are reserved; asks for tdmrep.json.",
    )
    poll: Poll = Field(default_factory=Poll, description="Bounds of the time between two polls of a feed.")
    follow: Follow = Field("any", description="own: what its feeds name on hosts that are not its own is left out.")
    budget: Budget = Field(default_factory=Budget, description="How much of our work one source may be.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRules:
    """How one source is fetched and which of its URLs are kept: its own words, else the defaults.

    `crawl_delay_s` is in seconds, as are `poll_min_s` and `poll_max_s`, between which its feeds are polled. `include` and `exclude` are regular expressions, searched in the URL.
    """

    user_agent: str
    crawl_delay_s: float
    max_per_host: int
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    obey_tdm: bool = False
    poll_min_s: float = 600.0
    poll_max_s: float = 86_400.0
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    render: Render = "none"
    extract: ExtractOptions = NO_OPTIONS
    follow: Follow = "any"
    new_urls_a_day: int = 100_000
    new_hosts_a_day: int = 1000
    sweep_share: float = 0.5


class Source(_Model):
    """An outlet that we follow."""

    id: Annotated[str, AfterValidator(_checked_id)] = Field(
        description="Its name in the lake: lower-case letters, digits, hyphens.",
        json_schema_extra={"pattern": "^[a-z0-9-]{1,64}$"},
    )
    name: str = Field("", max_length=300, description="Its name for people; the id where this is missing.")
    home_url: Url | None = Field(None, description="Its front page.")
    feeds: tuple[Url, ...] = Field((), description="RSS, Atom or JSON Feed.")
    sitemaps: tuple[Url, ...] = Field((), description="Sitemaps, sitemap indexes, news sitemaps; .gz too.")
    listings: tuple[Url, ...] = Field((), description="Pages whose links to articles are followed, one step.")
    urls: Urls = Field((), description="Single articles, or the path (from this file) of a file of them, one a line.")
    language: Annotated[str, Field(pattern=_LANGUAGE)] | None = Field(
        None, description="Its language, as in BCP 47: en, pt-BR."
    )
    include: tuple[Pattern, ...] = Field((), description="Regular expressions: only URLs where one is found are kept.")
    exclude: tuple[Pattern, ...] = Field((), description="Regular expressions: URLs where one is found are left out.")
    render: Render = Field("none", description="browser: read its pages as they stand once their scripts have run.")
    user_agent: UserAgent | None = Field(None, description="As under defaults, for this source.")
    crawl_delay_s: CrawlDelay | None = Field(None, description="As under defaults, for this source.")
    max_per_host: MaxPerHost | None = Field(None, description="As under defaults, for this source.")
    allow_networks: tuple[Network, ...] | None = Field(None, description="As under defaults, for this source.")
    obey_tdm: Flag | None = Field(None, description="As under defaults, for this source.")
    poll: Poll | None = Field(None, description="As under defaults, for this source.")
    follow: Follow | None = Field(None, description="As under defaults, for this source.")
    budget: Budget | None = Field(None, description="As under defaults, for this source.")
    extract: Extract = Field(
        default_factory=Extract, description="What is special in reading its pages, where the usual way fails."
    )

    @model_validator(mode="before")
    @classmethod
    def _name_by_id(cls, content: object) -> object:
        return {"name": content["id"], **content} if isinstance(content, dict) and content.get("id") else content

    def effective(self, defaults: Defaults) -> SourceRules:
        """Return this source's rules, with the defaults where it is silent."""
        poll = defaults.poll if self.poll is None else self.poll
        budget = defaults.budget if self.budget is None else self.budget
        return SourceRules(
            user_agent=defaults.user_agent if self.user_agent is None else self.user_agent,
            crawl_delay_s=defaults.crawl_delay_s if self.crawl_delay_s is None else self.crawl_delay_s,
            max_per_host=defaults.max_per_host if self.max_per_host is None else self.max_per_host,
            allow_networks=defaults.allow_networks if self.allow_networks is None else self.allow_networks,
            obey_tdm=defaults.obey_tdm if self.obey_tdm is None else self.obey_tdm,
            poll_min_s=poll.min_s,
            poll_max_s=poll.max_s,
            include=self.include,
            exclude=self.exclude,
            render=self.render,
            extract=self.extract.to_options(),
            follow=defaults.follow if self.follow is None else self.follow,
            **budget.model_dump(),
        )

    def feeds_of(self) -> tuple[tuple[str, FeedKind], ...]:
        """Return what is polled: each URL once, with its kind. `urls` are articles themselves and not among them."""
        kinds: dict[str, FeedKind] = {}
        for kind, urls in (
            (FeedKind.FEED, self.feeds),
            (FeedKind.SITEMAP, self.sitemaps),
            (FeedKind.LISTING, self.listings),
        ):
            for url in urls:
                kinds.setdefault(url, kind)
        return tuple(kinds.items())


class Catalogue(_Model):
    """The sources that Presslake follows."""

    defaults: Defaults = Field(
        default_factory=Defaults, description="What holds for every source unless it says otherwise."
    )
    sources: tuple[Source, ...] = Field(description="The outlets, at least one.", json_schema_extra={"minItems": 1})

    @field_validator("sources")
    @classmethod
    def _check_sources(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        if not sources:
            raise PydanticCustomError("sources", "should name at least one source")
        seen: set[str] = set()
        for index, source in enumerate(sources):
            if source.id in seen:
                raise PydanticCustomError("ids", "is the id of an earlier source too", {"at": (index, "id")})
            seen.add(source.id)
        return sources

    def rules(self) -> dict[str, SourceRules]:
        """Return the rules of every source, by id."""
        return {source.id: source.effective(self.defaults) for source in self.sources}

    def select(self, ids: Iterable[str]) -> Self:
        """Return the catalogue with the named sources alone, in its own order; all for no id.

        Raises CatalogueError for an id that is not in it.
        """
        wanted = set(ids)
        known = [source.id for source in self.sources]
        for source_id in sorted(wanted - set(known)):
            raise CatalogueError(f"no source {source_id!r} in the catalogue{_did_you_mean(source_id, known)}")
        kept = tuple(source for source in self.sources if not wanted or source.id in wanted)
        return self.model_copy(update={"sources": kept})


def accepts(url: str, rules: SourceRules) -> bool:
    """Whether a URL is to be kept: no `exclude` is found in it, and an `include` is, where there are any.

    URLs come from the web and patterns may backtrack: one over 4096 characters is not looked at and not kept.
    """
    if len(url) > MAX_URL_LENGTH or any(pattern.search(url) for pattern in _compiled(rules.exclude)):
        return False
    return not rules.include or any(pattern.search(url) for pattern in _compiled(rules.include))


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


def load_catalogue(path: Path | str) -> Catalogue:
    """Read a catalogue. Raises CatalogueError: one line with the file, the line and the mistake."""
    path = Path(path)
    root = compose(read_text(path, _MAX_FILE_SIZE), path)
    content = plain_value(root, path)
    if not isinstance(content, dict):
        raise CatalogueError(f"{path}:{line_at(root, ())}: should be a mapping with `sources:`")
    try:
        return Catalogue.model_validate(content, context={"folder": path.parent})
    except ValidationError as error:
        raise CatalogueError(_first_mistake(error, root, path)) from error


def catalogue_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `sources.yaml`, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Catalogue.model_json_schema()}


def _first_mistake(error: ValidationError, root: yaml.Node, path: Path) -> str:
    """Word the mistake that comes first in the file, and how many there are beside it."""
    mistakes = sorted((_mistake(details, root) for details in error.errors()), key=lambda mistake: mistake[0])
    line, what = mistakes[0]
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return f"{path}:{line}: {folded(what)}{more}"


def _mistake(details: ErrorDetails, root: yaml.Node) -> tuple[int, str]:
    where = (*details["loc"], *details.get("ctx", {}).get("at", ()))
    name = re.sub(r"^\.", "", "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where))
    return line_at(root, where), f"{name}: {_wording(details, where)}"


def _wording(details: ErrorDetails, where: tuple[int | str, ...]) -> str:
    match details["type"]:
        case "extra_forbidden":
            return f"unknown field{_did_you_mean(str(where[-1]), _fields_at(where))}"
        case "missing":
            return "is required"
        case "tuple_type":
            return "should be a list"
        case "model_type":
            return "should be a mapping"
        case "string_type":
            return "should be text; put a number in quotes"
        case _:
            return details["msg"]


def _fields_at(where: tuple[int | str, ...]) -> list[str]:
    if len(where) == 1:
        return list(Catalogue.model_fields)
    for name, model in (("selectors", Selectors), ("extract", Extract), ("poll", Poll)):
        if name in where[:-1]:
            return list(model.model_fields)
    return list(Defaults.model_fields if where[0] == "defaults" else Source.model_fields)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name[:100], list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
