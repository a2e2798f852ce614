"""Extract people's names from bylines: `By Mara Quill, Coast Editor, and Tom Hale`. Pure."""

import re
from collections.abc import Iterable

from tasks.extract.tree import clean, words_in, words_of

MAX_NAMES, MAX_LENGTH, _MAX_WORDS = 20, 80, 8
_MAX_RAW = 1000  # characters of a byline that are parsed

_BY = (
    r"(?:(?:written|posted|reported|published|story|text|words|article|interview|edited|report|reporting|editing|"
    r"writing|additional reporting|created|photos|compiled|presented)\s+by|"
    r"skrevet a[fv]|skr[ie]v[ie][tn] av|(?:geschreven|geplaatst) door|(?:scritto|pubblicato) da|(?:escrito|publicado) por|(?:rédigé|écrit|publié) par|"
    r"napsala?|napisała?|yazan|hazırlayan|kirjoittanut|írta|scris de|by|par|por|door|przez|скачал|geschrieben von|"
    r"autor(?:en|in)?|autore?|autora|auteure?|authors?|writer|text|texte|testo|tekst|автор|текст|بقلم|كتب|โดย|כותב|מאת|文|取材|執筆|作者|記者|记者|撰文)"
)
PREFIX = re.compile(
    rf"^(?i:{_BY}\s*[:：]\s*(?=\S)|{_BY}\s+(?=\S))|^文[・/／]\s*"
    # these may also begin surnames (von der Leyen, Di Canio), so a full name must follow
    r"|^(?i:von|di|av|af|de|da|od|van)\s+(?=(?-i:[A-ZÀ-ÞŁŚŻĆČŠŽÁÉ])\S+\s+\S)"
)
_AMID = re.compile(r"\s(?i:by|von|par|por)\s+(?=[A-ZÀ-Þ])")
_APART = re.compile(r"\s*[;|•·\n]\s*|\s+[-\u2013\u2014/]\s+")
_DASH = re.compile(r"\s[-\u2013\u2014/]\s")
_TOGETHER = re.compile(r",?\s+(?:&|and|und|et|y|e|og|och|en|i|и|ja|ve|dan|a|và)\s+|\s*[,、，]\s*", re.IGNORECASE)
_FOR = re.compile(
    r"(?<=\S\s)\s*(?:for|at|from|of)\s+(?:the\s+)?(?=[A-ZÀ-Þ])|\s+(?:für|pour|para|voor|för|dla|для)\s+(?=[A-ZÀ-ÞА-Я])"
)
_NO_NAME = re.compile(
    r"https?:|www\.|@|^\W*$|^\d+$|\*|[?!=<>{}\[\]]|(?:^|\s)(?:admin|administrator|unknown|null|none|undefined|n/a)$|"
    r"^[a-z_]+(?:\.[a-z_]+){2,}$",
    re.IGNORECASE,
)
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|janv|févr|mars|avr|juin|juil|août|déc|ene|abr|ago|dic|gen|mag|giu|lug|set|ott"
_DATE = re.compile(
    rf"\b(?:19|20)\d\d\b|\d[./:-]\d|(?:^|\W)(?:{_MONTHS})\w*\.?\s+\d|\d\.?\s*(?:st|nd|rd|th)?\s+(?:{_MONTHS})|^\d|\d[年月日]",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"\s*[\w.+-]+@[\w-]+\.[\w.-]+")
_LABELLED = re.compile(r"[^\s:：]{2,12}\s*[:：]\s*")
_DATE_BEHIND = re.compile(
    r"\s*[,|·•(\u2013\u2014-]?\s+(?:(?i:published|posted|updated|on|am|vom|le|el|il|em|den|veröffentlicht|publié|publicado|pubblicato)\s*:?\s+){0,2}(?:\d{1,2}\.?\s+(?:de\s+)?[^\s\d]+\s+(?:de\s+)?(?:19|20|25)\d\d\b|[^\s\d]{3,}\s+\d{1,2},?\s+(?:19|20)\d\d\b"
    r"|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|(?:19|20)\d\d\s*[年년./-]).*$",
    re.DOTALL,
)
_ROLES = frozenset(
    """
    editor editors editorial reporter reporters correspondent correspondents writer columnist contributor contributors contributing journalist staff author
    producer director manager analyst anchor presenter desk newsroom team department chief head senior junior assistant
    associate deputy executive founder cofounder president officer specialist consultant coordinator strategist expert professor
    lecturer freelance photographer intern fellow critic blogger newsdesk bureau ceo cto cmo coo svp vp
    redakteur redakteurin redaktion korrespondent korrespondentin reporterin chefredakteur chefredakteurin autorin volontär
    journaliste rédacteur rédactrice rédaction correspondant correspondante grand reporter
    redactor redactora redacción periodista corresponsal redazione giornalista redattore corrispondente
    redacteur redactie verslaggever journalista redakcja dziennikarz redakcija redaktør redaktör journalistin toimittaja
    muhabir editör корреспондент журналист редактор обозреватель редакция jornalista repórter redação
    """.split()
)
_GLUED_ROLES = re.compile(
    r"(?:本报|本報|本社|本刊)?(?:記者|记者|編集委員|特派員|論説委員|編輯|编辑|기자|특파원|통신원|논설위원)\s*[:：]?"
)
_DESK = re.compile(r"[\u3400-\u9fff]+(?:部|社|局|班|组|組|网|報|报|新聞|新闻|通信)")
_HAN_NAME = re.compile(
    r"[\u3400-\u9fff々]{2,5}(?:[\u3040-\u30ff]{1,3})?|[\uac00-\ud7af]{2,4}|[\u30a0-\u30ff]{2,8}・[\u30a0-\u30ff・]{2,12}"
)
_CREDENTIAL = re.compile(
    r"(?:[A-Z]\.?){2,6}(?:-[A-Z0-9]+)?|Ph\.?\s?D\.?|M\.?D\.?|Jr\.?|Sr\.?|I{2,3}|DipION|BSc|MSc|E-RYT.*|CFP®?"
)
_PARTICLES = frozenset(
    "de del della di da das do dos du des von van der den ten ter la le el al bin bint ibn abu ben af av zu zur zum y e i und st san mc "
    "d' l' al- el- ul und e. ní ó mac ap".split()
)
_LABELS = frozenset(
    "author authors by name email website share home news newsroom comment comments reply login register menu search contact about more "
    "admin linkedin visit view articles link editor staff read published updated subscribe follow posted written editorial autor auteur redaktion redazione profile bio".split()
)


def tidy_names(raw: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct names in order, without prefixes, roles, addresses, dates and places."""
    tidy: dict[tuple[str, ...], str] = {}
    for one in raw:
        for name in split_names(clean(one)):
            key = words_of(name)
            if key and len(key) <= _MAX_WORDS and not _NO_NAME.search(name):
                tidy.setdefault(key, name)
    return tuple(tidy.values())[:MAX_NAMES]


def split_names(byline: str) -> list[str]:
    """Split `A B, C D and E F`; only into full names, since `Parker, Tracy` and `Ortega y Gasset` are one name."""
    names: list[str] = []
    byline = _DATE_BEHIND.sub("", byline[:_MAX_RAW])
    if " " in byline:  # a mail address alone is not a name
        byline = _EMAIL.sub("", byline)
    if (label := _LABELLED.match(byline)) and is_full_name(rest := byline[label.end() :].strip()):
        byline = rest
    parts = _APART.split(byline)
    # `Gurus - Harbour` is one name
    if _DASH.search(byline) and len(parts[0].split()) == 1 and not _DATE.search(byline):
        parts = [byline]
    for part in parts:
        names.extend(_names_of(part, has_others=bool(names)))
    return [name for name in names if 0 < len(name) <= MAX_LENGTH]


def _names_of(part: str, *, has_others: bool) -> list[str]:
    part = _GLUED_ROLES.sub(" ", PREFIX.sub("", part.strip(" ,.:")).strip()).strip()
    if (amid := _AMID.search(part)) and _DATE.search(part[: amid.start()]):
        part = part[amid.end() :]
    pieces = [PREFIX.sub("", piece).strip(" ,.:·•-\u2013\u2014\"'“”") for piece in _TOGETHER.split(part)]
    if not all(len(piece.split()) > 1 or _is_apart(piece) for piece in pieces[:1]):
        whole = part.strip(' ,:·•-\u2013\u2014"“”')
        is_list = len(pieces) > 2 and all(map(_HAN_NAME.fullmatch, pieces))
        return (
            pieces if is_list else [] if _is_no_name(whole) or (has_others and _is_role(whole)) else [whole.rstrip(".")]
        )
    names: list[str] = []
    for piece in pieces:
        bare = _FOR.split(piece)[0].strip() if len(piece.split()) > 2 else piece
        if names and _CREDENTIAL.fullmatch(bare):
            if f", {bare}" not in part:
                return [part.strip(" ,.")]
            names[-1] = f"{names[-1]}, {bare}"
        elif _is_no_name(bare) or (_is_role(bare) and (names or has_others or len(pieces) > 1)):
            continue
        elif not names or len(bare.split()) > 1 or _is_apart(bare):
            names.append(bare)
    return names


def _is_apart(piece: str) -> bool:
    """Whether a piece without a space is a full name, in a script without spaces."""
    return _HAN_NAME.fullmatch(piece) is not None


def _is_no_name(text: str) -> bool:
    return not text or bool(_NO_NAME.search(text)) or bool(_DATE.search(text))


def _is_role(text: str) -> bool:
    return any(word in _ROLES for word in words_in(text.casefold()))


def is_full_name(text: str) -> bool:
    """Whether a text may be a full name, if only its position suggests one.

    It has two to six words, capitalized except for particles, without digits and roles; or it is a name in Chinese,
    Japanese or Korean.
    """
    if _HAN_NAME.fullmatch(text):
        return _DESK.fullmatch(text) is None
    words = text.split(",", maxsplit=1)[0].split()
    if not 2 <= len(words) <= 6 or len(text) > MAX_LENGTH or any(map(str.isdigit, text)) or _is_no_name(text):
        return False
    if _is_role(text) or words_in(text)[:1] == () or words[0].casefold() in _LABELS:
        return False
    return not any(word[0].islower() and word.casefold() not in _PARTICLES for word in words) and words[-1][0].isalpha()


def is_team(text: str) -> bool:
    """Whether a text marked as an author's name may be that of a team: `Courier Staff`."""
    words = text.split()
    is_said = 2 <= len(words) <= 4 and len(text) <= MAX_LENGTH and not _is_no_name(text) and words[-1][0].isupper()
    return is_said and not _LABELS.issuperset(word.casefold() for word in words)


def is_nickname(text: str) -> bool:
    """Whether a text marked as an author's name may be a single-word name."""
    words = words_in(text)
    is_label = not words or words[0] in _LABELS or _is_role(text) or _is_no_name(text)
    return not is_label and len(text.split()) == 1 and 2 < len(text) <= 20 and not text.isdigit()
