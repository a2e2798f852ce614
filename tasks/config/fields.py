"""The field types of the catalogue, each with its validator. Reads the files of URLs that fields name."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from tasks.config.marked_yaml import read_text
from tasks.errors import BadUrl, CatalogueError, ForbiddenScheme
from tasks.values.url import fetch_url

_MAX_URLS_SIZE = 50_000_000
_LANGUAGE: Final = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"  # the shape of BCP 47
_CSS = "css:"
_ID = re.compile(r"[a-z0-9-]{1,64}")


def _checked_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise PydanticCustomError("id", "should be lower-case letters, digits and hyphens, at most 64")
    return value


def _checked_country(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", value):
        raise PydanticCustomError("country", "should be two letters, as in ISO 3166-1: GB, BR")
    return value.upper()


def _checked_tag(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise PydanticCustomError("tag", "should be one or a few words on one line")
    return value.strip()


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
        raise PydanticCustomError("pattern", "is not a regular expression: {why}", {"why": str(error)}) from error
    return value


def _checked_selector(value: str) -> str:
    """Return a selector as XPath 1.0; one that begins with `css:` is translated, so that workers need XPath only."""
    if value.startswith(_CSS):
        from cssselect import HTMLTranslator, SelectorError  # noqa: PLC0415 - few catalogues have selectors

        try:
            return HTMLTranslator().css_to_xpath(value.removeprefix(_CSS))
        except SelectorError as error:
            raise PydanticCustomError("selector", "is not a CSS selector: {why}", {"why": str(error)}) from error
    from lxml.etree import Element, LxmlError, XPath  # noqa: PLC0415

    try:
        # evaluated once, since unknown functions and prefixes are only detected then
        found = XPath(value)(Element("html"))
    except LxmlError as error:
        raise PydanticCustomError("selector", "is not XPath 1.0: {why}", {"why": str(error)}) from error
    if not isinstance(found, list | str):
        raise PydanticCustomError("selector", "should select elements, attributes or text, not a number or a boolean")
    return value


def _checked_network(value: object) -> object:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError as error:
        why = str(error) if isinstance(value, str) else "should be quoted text"
        raise PydanticCustomError("network", "is not a network such as 10.0.0.0/8: {why}", {"why": why}) from error


def _urls_of(value: object, info: ValidationInfo) -> object:
    """Read the file that `urls` names, relative to the catalogue; return a list unchanged."""
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
        # a comment begins a line or follows white space, so that a URL's fragment is none
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
Tag = Annotated[str, AfterValidator(_checked_tag), Field(max_length=100)]
Country = Annotated[
    str, AfterValidator(_checked_country), Field(json_schema_extra={"pattern": "^[A-Za-z]{2}$", "examples": ["GB"]})
]
UserAgent = Annotated[str, AfterValidator(_checked_user_agent), Field(min_length=1, max_length=300)]
CrawlDelay = Annotated[float, Field(ge=0, le=86_400, strict=True, allow_inf_nan=False)]
Render = Literal["none", "browser"]
MaxPerHost = Annotated[int, Field(ge=1, le=16, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Selector = Annotated[str, AfterValidator(_checked_selector), Field(min_length=1, max_length=1000)]
PollInterval = Annotated[float, Field(ge=60, le=2_592_000, strict=True, allow_inf_nan=False)]
MaxNew = Annotated[int, Field(ge=1, le=10_000_000, strict=True)]
DocumentsADay = Annotated[int, Field(ge=1, le=20, strict=True)]
SweepShare = Annotated[float, Field(gt=0, le=1, strict=True, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=36_500, strict=True)]
Follow = Literal["any", "own"]
Language = Annotated[str, Field(pattern=_LANGUAGE)]
SourceId = Annotated[str, AfterValidator(_checked_id)]
