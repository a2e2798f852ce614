"""RSL 1.0 licences (rslstandard.org/rsl, 2025-12-10): XML to the answers for each path pattern. Pure.

Parsed without entities, document type and network. A document that is not well-formed, has another namespace, or
contains an unknown RSL element grants nothing (it is unlicensed). Of several licences for one content the strictest
counts. A condition on the user or place is a refusal, because it cannot be checked.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from tasks.errors import ItemError
from tasks.politeness.rights.mapping import UNLICENSED
from tasks.politeness.robots import matched_path
from tasks.politeness.robots_rules import Rule, path_rule
from tasks.values.rights import RAW_LENGTH, RSL, Answer
from tasks.values.rows import Signal
from tasks.values.url import Url

NAMESPACE = "https://rslstandard.org/rsl"
USAGES = ("ai-train", "ai-input", "ai-index", "search", "all")
"""The usages looked up in a licence. `all` stands for every other use, such as an archive."""

MAX_CONTENTS, MAX_LICENCES = 1000, 20
DEFAULT_MAX_AGE_DAYS = 30

_ELEMENTS = frozenset(
    """rsl content license permits prohibits payment standard custom amount accepts reporting legal alternate schema
    copyright terms""".split()
)
_COVERED = {
    "all": frozenset(USAGES),
    "ai-all": frozenset(("ai-train", "ai-input", "ai-index")),
    **{usage: frozenset((usage,)) for usage in USAGES if usage != "all"},
}
# tokens found in practice that no version defines: the first is in RSL's own guide, the others in older forms
_LENIENT = {"train-ai": "ai-train", "inference": "ai-input", "ai-inference": "ai-input"}
_WITHOUT_MONEY = frozenset(("free", "attribution"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensedContent:
    """A path pattern of one origin, or of any (None), with the answers to the USAGES, in their order.

    `duties`: additional conditions, such as `attribution`.
    """

    origin: str | None
    pattern: str
    rule: Rule
    answers: tuple[Answer, ...]
    duties: tuple[str, ...]
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Licences:
    """The licences in one document. `fault`: why it grants nothing, or None if it was understood.

    `is_lenient`: whether tokens or separators were corrected (`train-ai` for `ai-train`, commas for spaces).
    """

    contents: tuple[LicensedContent, ...] = ()
    fault: str | None = None
    is_lenient: bool = False
    max_age_days: float = DEFAULT_MAX_AGE_DAYS

    def for_url(self, url: str) -> tuple[LicensedContent, ...]:
        """Return the contents whose matching pattern is longest, several if equally long. Raises BadUrl."""
        path, origin = matched_path(url), Url.of(url).origin
        found = [
            content for content in self.contents if content.origin in {None, origin} and content.rule.matches(path)
        ]
        narrowest = max((content.rule.length for content in found), default=0)
        return tuple(content for content in found if content.rule.length == narrowest)


def strictest(answers: Iterable[Answer]) -> Answer:
    """Return the strictest of several answers."""
    given = set(answers)
    return next(
        (answer for answer in (Answer.REFUSED, Answer.PAYMENT, Answer.ALLOWED) if answer in given), Answer.NOT_STATED
    )


def parse_rsl(body: bytes, page_url: str | None = None) -> Licences:
    """Parse a licence document, or RSL embedded in a page; there, `url=""` means the page itself."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return Licences(fault=f"no XML: {str(error)[:200]}")
    if root.getroottree().docinfo.internalDTD is not None:
        return Licences(fault="it has a document type")
    return _read_root(root, page_url)


def _read_root(root: etree._Element, page_url: str | None) -> Licences:
    if fault := _fault(root, is_inline=page_url is not None):
        return Licences(fault=fault)
    elements = [root] if _name(root) == "content" else list(_children(root, "content"))[:MAX_CONTENTS]
    contents = [found for element in elements if (found := _content(element, page_url)) is not None]
    lenient = any(
        "," in (element.text or "")
        or not _LENIENT.keys().isdisjoint((element.text or "").lower().replace(",", " ").split())
        for element in root.iter(f"{{{NAMESPACE}}}permits", f"{{{NAMESPACE}}}prohibits")
    )
    return Licences(
        contents=tuple(contents),
        fault=None if contents else "it has no content that is understood",
        is_lenient=lenient,
        max_age_days=_max_age_days(root.get("max-age")),
    )


def _fault(root: etree._Element, *, is_inline: bool) -> str | None:
    names = {"rsl", "content"} if is_inline else {"rsl"}
    if root.tag not in {f"{{{NAMESPACE}}}{name}" for name in names}:
        return f"no RSL: its root is {str(root.tag)[:100]}"
    for element in root.iter(f"{{{NAMESPACE}}}*"):
        if _name(element) not in _ELEMENTS:
            return f"RSL has no element {_name(element)[:100]}"
    return None


def _content(element: etree._Element, page_url: str | None) -> LicensedContent | None:
    named = element.get("url")
    if named is None:
        return None
    place = _place(named.strip(), page_url)
    if place is None:
        return None
    origin, pattern = place
    licences = list(_children(element, "license"))[:MAX_LICENCES]
    needs_token = bool((element.get("server") or "").strip())
    return LicensedContent(
        origin=origin,
        pattern=pattern,
        rule=path_rule(pattern),
        answers=tuple(_answer(usage, licences, needs_token=needs_token) for usage in USAGES),
        duties=tuple(dict.fromkeys(kind for licence in licences if (kind := _payment(licence)) == "attribution")),
        raw=etree.tostring(element, encoding="unicode", with_tail=False)[:RAW_LENGTH],
    )


def _place(named: str, page_url: str | None) -> tuple[str | None, str] | None:
    if not named:
        if page_url is None:
            return None
        page = Url.of(page_url)
        return page.origin, f"{matched_path(page)}$"
    if named.startswith(("/", "*")):
        return None, named
    try:
        url = Url.parse(named)
    except ItemError:
        return None
    # the URL parser would escape pattern characters, so the part after the host is taken as written
    after = named.partition("://")[2]
    return url.origin, f"/{after.partition('/')[2]}"


def _answer(usage: str, licences: list[etree._Element], *, needs_token: bool) -> Answer:
    if not licences:
        return Answer.REFUSED  # nothing grants anything
    answers = [_answer_of(one, usage) for one in licences]
    if Answer.REFUSED in answers and any(_prohibits(one, usage) for one in licences):
        return Answer.REFUSED
    # licences are alternative offers: one may permit what another does not list
    granted = strictest(one for one in answers if one is not Answer.REFUSED)
    if granted is Answer.NOT_STATED:
        return Answer.REFUSED
    return Answer.PAYMENT if needs_token else granted


def _answer_of(licence: etree._Element, usage: str) -> Answer:
    permits, is_listed = _tokens(licence, "permits", "usage")
    if _prohibits(licence, usage) or (is_listed and usage not in permits):
        return Answer.REFUSED
    if _depends_on_us(licence) or next(_children(licence, "reporting"), None) is not None:
        return Answer.REFUSED
    return Answer.ALLOWED if _payment(licence) in _WITHOUT_MONEY else Answer.PAYMENT


def _prohibits(licence: etree._Element, usage: str) -> bool:
    tokens, is_listed = _tokens(licence, "prohibits", "usage")
    # `prohibits all` beside `permits search` is ambiguous, so it refuses. An AI index serves AI input.
    wider = {usage, "ai-index"} if usage == "ai-input" else {usage}
    return is_listed and not wider.isdisjoint(tokens)


def _depends_on_us(licence: etree._Element) -> bool:
    """Whether the licence depends on users or places: it cannot be checked which apply to us."""
    return any(
        (element.get("type") or "").strip().lower() in {"user", "geo"}
        for name in ("permits", "prohibits")
        for element in _children(licence, name)
    )


def _tokens(licence: etree._Element, name: str, kind: str) -> tuple[frozenset[str], bool]:
    """Return the usages that elements of a name cover, and whether there are such elements."""
    elements = [element for element in _children(licence, name) if (element.get("type") or "").strip().lower() == kind]
    words = (word for element in elements for word in (element.text or "").lower().replace(",", " ").split())
    covered = frozenset[str]().union(*(_COVERED.get(_LENIENT.get(word, word), frozenset()) for word in words))
    return covered, bool(elements)


def _payment(licence: etree._Element) -> str:
    payments = list(_children(licence, "payment"))
    if not payments:
        return "free"
    kinds = [(payment.get("type") or "free").strip().lower() for payment in payments]
    return next((kind for kind in kinds if kind not in _WITHOUT_MONEY), kinds[0])


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    yield from element.iterchildren(f"{{{NAMESPACE}}}{name}")


def _name(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def _max_age_days(value: str | None) -> float:
    try:
        days = float(value or DEFAULT_MAX_AGE_DAYS)
    except ValueError:
        return DEFAULT_MAX_AGE_DAYS
    return min(max(days, 1.0), 365.0) if days == days else DEFAULT_MAX_AGE_DAYS  # noqa: PLR0124 - nan differs from itself


def licence_signals(
    licences: Licences, url: str, *, policy_id: str | None, scope: str | None = None
) -> Iterator[Signal]:
    """Yield the signals of a document about a page, none if no content matches. Raises BadUrl.

    `scope` defaults to the content's pattern. A document that was not understood grants nothing.
    """
    if licences.fault is not None:
        yield _signal(scope or "", UNLICENSED, licences.fault, policy_id)
        return
    contents = licences.for_url(url)
    for place, usage in enumerate(USAGES if contents else ()):
        answer = strictest(content.answers[place] for content in contents)
        yield _signal(scope or contents[0].pattern, f"{usage}={answer}", contents[0].raw, policy_id)
    for duty in dict.fromkeys(duty for content in contents for duty in content.duties):
        yield _signal(scope or contents[0].pattern, f"duty={duty}", contents[0].raw, policy_id)
    if contents and licences.is_lenient:
        yield _signal(scope or contents[0].pattern, "lenient", contents[0].raw, policy_id)


def _signal(scope: str, value: str, raw: str, policy_id: str | None) -> Signal:
    return Signal(signal=RSL, scope=scope[:RAW_LENGTH], value=value, raw=raw[:RAW_LENGTH], policy_id=policy_id)
