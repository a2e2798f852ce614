"""What a page is: a story, a list of stories, or a wall before one. Pure.

Conservative: a page with a story's text is a story, whatever else stands on it. The words below are what whole titles
and headings of walls say, so that an article about a consent wall is none.
"""

import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from tasks.extract.jsonld import ARTICLE_TYPES
from tasks.extract.metadata import Metadata
from tasks.models import PageType

_DECENT_LENGTH = 600  # characters of text that make a story of a page, if nothing says otherwise
_WALL_LENGTH = 2500  # characters; a wall says no more than that
_INDEX_LINKS = 40
_COUNTED = ("a", "h2", "h3", "figure", "video", "audio", "input")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What is counted on a page as parsed, before anything is removed."""

    path: str
    links: int
    headings: int
    pictures: int
    players: int
    passwords: int


def look_at(tree: HtmlElement, *, url: str) -> PageFacts:
    """Return the facts that `classify_page` asks for; the tree must be whole still."""
    counts: Counter[str] = Counter()
    for element in tree.iter(*_COUNTED):
        is_password = element.tag == "input" and (element.get("type") or "").casefold() == "password"
        counts["password" if is_password else element.tag] += 1
    return PageFacts(
        path=urlsplit(url).path.strip("/"),
        links=counts["a"],
        headings=counts["h2"] + counts["h3"],
        pictures=counts["figure"],
        players=counts["video"] + counts["audio"],
        passwords=counts["password"],
    )


_BLOCKED = re.compile(
    r"just a moment|attention required|access (?:to this page has been )?denied|are you (?:a robot|human)|403 forbidden|"
    r"pardon our interruption|request unsuccessful|verify(?:ing)? (?:that )?you are (?:a )?human|human verification|"
    r"security check|robot or human|bot verification|ddos protection|zugriff verweigert|accès refusé|acceso denegado",
    re.IGNORECASE,
)
_CONSENT = re.compile(
    r"we value your privacy|before you continue|your privacy choices|cookie (?:consent|settings)|consent|"
    r"wir schätzen ihre privatsphäre|bevor sie fortfahren|datenschutz ?einstellungen|mit werbung weiterlesen|"
    r"votre vie privée|avant de continuer|su privacidad|la tua privacy|uw privacy|je privacy",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"(?:log|sign) ?in|login|log on|anmelden|anmeldung|einloggen|connexion|se connecter|iniciar sesión|accedi|inloggen",
    re.IGNORECASE,
)
_MISSING = re.compile(
    r"(?:error )?404(?: error)?|(?:404\W*)?(?:the )?(?:page|article|story|content) (?:(?:was|is|could|can) ?)?(?:not |no longer )"
    r"(?:be )?(?:found|available|exists?).{0,40}|not found|(?:404\W*)?seite (?:wurde )?nicht gefunden|"
    r"(?:404\W*)?page (?:non trouvée|introuvable)|(?:404\W*)?página no encontrada|(?:404\W*)?página não encontrada|"
    r"(?:404\W*)?pagina non trovata|(?:404\W*)?pagina niet gevonden|(?:404\W*)?sidan kunde inte hittas",
    re.IGNORECASE,
)


def classify_page(metadata: Metadata, text: str, facts: PageFacts) -> PageType:
    """Return what a page is, by what it says of itself, its article's text, and what is counted on it."""
    is_story = bool(metadata.types & ARTICLE_TYPES)
    wall = None if is_story and len(text) >= _DECENT_LENGTH else _wall(metadata, text, facts)
    if wall is not None:
        return wall
    kind = _kind(metadata, text)
    if kind is not None:
        return kind
    return PageType.INDEX if not is_story and _is_index(metadata, text, facts) else PageType.ARTICLE


def _wall(metadata: Metadata, text: str, facts: PageFacts) -> PageType | None:
    names = [title for title in metadata.titles if title]
    if any(_MISSING.fullmatch(name.strip(" .!…")) for name in names):
        return PageType.SOFT_404
    if len(text) > _WALL_LENGTH:
        return None
    if any(_BLOCKED.match(name) for name in names):
        return PageType.BLOCKED
    if any(_CONSENT.match(name) for name in names):
        return PageType.CONSENT
    if facts.passwords and any(_LOGIN.match(name) for name in names):
        return PageType.LOGIN
    return None


def _kind(metadata: Metadata, text: str) -> PageType | None:
    og_type, types = metadata.og_type or "", metadata.types
    if "LiveBlogPosting" in types:
        return PageType.LIVE_BLOG
    if len(text) >= _DECENT_LENGTH and types & ARTICLE_TYPES:
        return None
    if types & {"PodcastEpisode", "RadioEpisode", "AudioObject"}:
        return PageType.PODCAST
    if types & {"ImageGallery", "MediaGallery"}:
        return PageType.GALLERY
    if og_type.startswith("video"):
        return PageType.VIDEO
    return None


def _is_index(metadata: Metadata, text: str, facts: PageFacts) -> bool:
    if metadata.og_type == "article" or metadata.published_at is not None or len(text) >= _DECENT_LENGTH:
        return False
    return not facts.path or facts.links >= _INDEX_LINKS
