"""Classify a page: a story, an index of stories, or a wall in front of one.

Pure. It is conservative, since only stories are stored: a page that declares itself an article and has enough text is a
story, whatever else it contains. The phrases are whole titles and headings of walls.
"""

import re
from dataclasses import dataclass

from lxml.html import HtmlElement

from tasks.extract.jsonld import ARTICLE_TYPES
from tasks.extract.metadata import Metadata
from tasks.extract.notices import notice_of
from tasks.extract.phrases import phrases
from tasks.extract.tree import HEADINGS, page_url, words_of
from tasks.values.rows import PageType

_DECENT_LENGTH = 600  # characters of text with which a declared article is a story
_MAX_WALL_LENGTH = 2500  # characters; a wall has no more
_MAX_WORDS_MORE = 3  # words in a wall's title after its phrase: the site's name
_MIN_LONG_LINE = 80  # characters; teasers and labels are shorter
_MIN_TEASERS, _MAX_PER_TEASER = 8, 150  # linked headings of an index; characters of long lines for each
_STORY_PLACE = re.compile(r"\d{3}|(?:[^/-]+-){3}")  # a number or a slug in the path or query

_MISSING = phrases(
    """
    404 | error 404 | 404 error | not found | 404 not found | 404 page not found | page not found | page not found 404 | page cannot be found | page can't be found |
    page doesn't exist | page does not exist | page no longer exists | page unavailable | this page could not be found | the page could not be found | article not found | story not found |
    content not found | content no longer available | this page is no longer available | this article is no longer available | this content is no longer available | sorry page not found |
    seite nicht gefunden | 404 seite nicht gefunden | die seite wurde nicht gefunden | artikel nicht gefunden | fehler 404 | page introuvable | page non trouvée | erreur 404 | article introuvable |
    página no encontrada | error 404 página no encontrada | página não encontrada | erro 404 | pagina non trovata | errore 404 | pagina niet gevonden | sidan kunde inte hittas | sidan hittades inte |
    siden ble ikke funnet | siden blev ikke fundet | sivua ei löydy | nie znaleziono strony | strona nie została znaleziona | stránka nenalezena | страница не найдена | сторінку не знайдено |
    sayfa bulunamadı | halaman tidak ditemukan | không tìm thấy trang | ページが見つかりません | お探しのページは見つかりませんでした | 页面不存在 | 找不到页面 | 找不到網頁 | 페이지를 찾을 수 없습니다 | الصفحة غير موجودة
    """
)
_BLOCKED = phrases(
    """
    just a moment | attention required | access denied | access to this page has been denied | access to this site has been denied | forbidden | 403 forbidden | error 403 | 403 error |
    are you a robot | are you human | pardon our interruption | request unsuccessful | verify you are human | verifying you are human | please verify you are a human | human verification |
    security check | robot or human | bot verification | checking your browser | ddos protection | you have been blocked | too many requests | 429 too many requests | request blocked |
    zugriff verweigert | accès refusé | acceso denegado | acesso negado | accesso negato | toegang geweigerd | доступ запрещен
    """
)
_CONSENT = phrases(
    """
    we value your privacy | your privacy | your privacy choices | your privacy matters | before you continue | privacy settings | cookie settings | cookie consent | cookie wall | cookies | consent |
    wir schätzen ihre privatsphäre | ihre privatsphäre | bevor sie fortfahren | datenschutzeinstellungen | privatsphäre einstellungen | mit werbung weiterlesen | zustimmung erforderlich |
    votre vie privée | nous respectons votre vie privée | avant de continuer | valoramos su privacidad | valoramos tu privacidad | su privacidad | a sua privacidade | la tua privacy |
    il rispetto della tua privacy è la nostra priorità | uw privacy | je privacy | cookie instellingen | din integritet | personvern | twoja prywatność
    """
)
_LOGIN = phrases(
    """
    log in | login | log on | sign in | signin | please log in | please sign in | member login | subscriber login | anmelden | anmeldung | einloggen | bitte anmelden | connexion | se connecter |
    connectez vous | identifiez vous | iniciar sesión | inicia sesión | entrar | fazer login | accedi | inloggen | logga in | logg inn | log ind | kirjaudu | zaloguj się | přihlášení | войти | вход | giriş yap | ログイン | 登录 | 登入 | 로그인
    """
)
_CONSENT_PLACE = re.compile(
    r"(?:^|\.)(?:consent|guce|cmp|privacy-mgmt)\.|/(?:consent|cookie-?wall|privacy-?gate)(?:[/?]|$)"
)
_COOKIE = re.compile(r"\bcookies?\b|クッキー|файл\w* cookie", re.IGNORECASE)
_AGREE = re.compile(
    r"\bconsent|\bconsen[ts]o\b|\beinwillig|\bzustimm|\bconsentimi?ento|\btoestemming|\bsamty(?:ck|kke)|\bzgod|\bsouhlas|согласи|同意",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """Counts on a page as parsed, before anything is removed, and facts from its URL.

    `teasers` are linked headings, `passwords` the password fields. A URL may be the site's front page, a cookie dialog,
    or a story with a number or a slug.
    """

    is_front: bool
    names_consent: bool
    names_story: bool
    teasers: int
    passwords: int


def look_at(tree: HtmlElement) -> PageFacts:
    """Return the facts for `classify_page`; the tree must still be complete."""
    parts = page_url(tree).parts
    fields = (one.get("type") or "" for one in tree.iter("input"))
    place = f"{parts.path.rstrip('/')}{parts.search}"
    return PageFacts(
        is_front=not place,
        names_consent=_CONSENT_PLACE.search(parts.hostname + place) is not None,
        names_story=_STORY_PLACE.search(place) is not None,
        teasers=sum(_is_linked(heading) for heading in tree.iter(*HEADINGS)),
        passwords=sum(kind.casefold() == "password" for kind in fields),
    )


def _is_linked(heading: HtmlElement) -> bool:
    return next(heading.iter("a"), None) is not None or next(heading.iterancestors("a"), None) is not None


def classify_page(metadata: Metadata, text: str, facts: PageFacts) -> PageType:
    """Return the type of a page, by its metadata, its article's text, and its facts."""
    is_declared = metadata.og_type == "article" or bool(metadata.types & ARTICLE_TYPES)
    if "LiveBlogPosting" in metadata.types:
        return PageType.LIVE_BLOG
    if notice := notice_of(text, metadata):
        return notice
    if is_declared and len(text) >= _DECENT_LENGTH:
        return PageType.ARTICLE
    found = _wall(metadata, text, facts, is_declared=is_declared) or _other_story(metadata, text)
    if found is None and not is_declared and _is_index(text, facts):
        return PageType.INDEX
    return found or PageType.ARTICLE


def _wall(metadata: Metadata, text: str, facts: PageFacts, *, is_declared: bool) -> PageType | None:
    titles = [words_of(title) for title in metadata.titles]
    if any(title in _MISSING for title in titles):
        return PageType.SOFT_404
    if len(text) > _MAX_WALL_LENGTH:
        return None
    if _begins(titles, _BLOCKED):
        return PageType.BLOCKED
    if _begins(titles, _CONSENT) or (not is_declared and _asks_consent(text, facts)):
        return PageType.CONSENT
    return PageType.LOGIN if facts.passwords and _begins(titles, _LOGIN) else None


def _begins(titles: list[tuple[str, ...]], said: frozenset[tuple[str, ...]]) -> bool:
    """Whether a title starts with one of the phrases, followed by at most a site's name."""
    return any(title[:size] in said for title in titles for size in range(max(1, len(title) - _MAX_WORDS_MORE), 9))


def _asks_consent(text: str, facts: PageFacts) -> bool:
    if facts.names_consent:
        return True
    return len(_COOKIE.findall(text)) >= 2 and _AGREE.search(text) is not None


def _other_story(metadata: Metadata, text: str) -> PageType | None:
    """Return the type of a page with little text that is a story in another medium."""
    if metadata.types & {"PodcastEpisode", "RadioEpisode", "AudioObject"}:
        return PageType.PODCAST
    if metadata.types & {"ImageGallery", "MediaGallery"} and len(text) < _DECENT_LENGTH:
        return PageType.GALLERY
    is_video = (metadata.og_type or "").startswith("video") or "VideoObject" in metadata.types
    if is_video and len(text) < _DECENT_LENGTH:
        return PageType.VIDEO
    return None


def _is_index(text: str, facts: PageFacts) -> bool:
    """Whether an undeclared page is a front page, or a section page with more teasers than text."""
    if facts.is_front:
        return facts.teasers > 0
    story = sum(len(line) for line in text.split("\n") if len(line) >= _MIN_LONG_LINE)
    is_list = facts.teasers >= _MIN_TEASERS and story < _MAX_PER_TEASER * facts.teasers
    return is_list and not facts.names_story
