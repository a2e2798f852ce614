"""The vocabulary of rights: purposes of an archive, how refusals are obeyed, and answers. Pure."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """The purposes for which pages may be kept or used."""

    ARCHIVE = "archive"
    SEARCH = "search"
    AI_INPUT = "ai-input"
    AI_TRAIN = "ai-train"


class Obey(StrEnum):
    """What happens to a page that is refused for one of its source's purposes."""

    RECORD = "record"
    EXCLUDE = "exclude"
    WITHHOLD = "withhold"


class Answer(StrEnum):
    """The answer for one purpose: `?` means that nothing was said, and is not interpreted."""

    ALLOWED = "y"
    REFUSED = "n"
    PAYMENT = "payment"
    NOT_STATED = "?"

    @property
    def words(self) -> str:
        """The answer in words."""
        return _IN_WORDS[self]

    @property
    def is_refusal(self) -> bool:
        """Whether the use is not freely allowed; a price counts as a refusal, since we never pay."""
        return self in {Answer.REFUSED, Answer.PAYMENT}


_IN_WORDS = {
    Answer.ALLOWED: "permitted",
    Answer.REFUSED: "refused",
    Answer.PAYMENT: "has a price",
    Answer.NOT_STATED: "not stated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Obedience:
    """How refusals are obeyed: the purposes of a source's pages, and what happens to a refused page.

    `obeys_tdm` is the older setting: it covers only TDMRep and `noai`, and only stories, after the page has been read.
    """

    purposes: tuple[Purpose, ...] = (Purpose.ARCHIVE,)
    obey: Obey = Obey.RECORD
    obeys_tdm: bool = False

    @property
    def is_excluding(self) -> bool:
        """Whether a refused page is not fetched, or not kept."""
        return self.obey is Obey.EXCLUDE

    @property
    def asks_tdm(self) -> bool:
        """Whether tdmrep.json, which is about AI only, is fetched."""
        is_of_ai = not {Purpose.AI_INPUT, Purpose.AI_TRAIN}.isdisjoint(self.purposes)
        return self.obeys_tdm or (self.obey is not Obey.RECORD and is_of_ai)


NO_OBEDIENCE = Obedience()


class PolicyKind(StrEnum):
    """The kinds of documents that are kept as evidence."""

    ROBOTS = "robots"
    TDMREP = "tdmrep"
    RSL = "rsl"


CONTENT_USAGE = "content-usage"
CONTENT_SIGNAL = "content-signal"
RSL = "rsl"
TDMREP = "tdmrep"
DIRECTIVE = "robots-directive"
ROBOTS = "robots"
CRAWLERS = "robots-ai"
PAYMENT = "payment"
SIGNALS = (ROBOTS, CRAWLERS, CONTENT_USAGE, CONTENT_SIGNAL, RSL, TDMREP, DIRECTIVE, PAYMENT)
"""The names of signals in rows."""

HEADER, META = "header", "meta"
"""The scopes of a page's own signals."""

FEED = "feed"
"""The scope of signals from a page's feed."""

UNREADABLE, UNSET = "unreadable", "unset"
"""The values of statements that are unreadable, and of readable ones without a known meaning."""

RAW_LENGTH = 500
"""The most characters of a statement's wording that are kept; the whole document is in its record."""

FORM_LENGTH = 24
"""Digits of a document's id that identify its content; the rest distinguish later returns of it."""


def turn_of(policy_id: str, former: str) -> str:
    """Return the suffix that distinguishes a document that returned after `former` from its earlier period."""
    return hashlib.sha256(f"{policy_id}\n{former}".encode()).hexdigest()[: 32 - FORM_LENGTH]


def returned_id(policy_id: str, turn: str | None) -> str:
    """Return the id of a document at its turn; its plain id if it was never replaced."""
    return f"{policy_id[:FORM_LENGTH]}{turn}" if turn else policy_id
