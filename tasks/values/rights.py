"""The words of rights: what an archive is for, how a source's refusals are taken, and what is answered. Pure."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What pages may be kept or used for."""

    ARCHIVE = "archive"
    SEARCH = "search"
    AI_INPUT = "ai-input"
    AI_TRAIN = "ai-train"


class Obey(StrEnum):
    """What becomes of a page that is refused for one of its source's purposes."""

    RECORD = "record"
    EXCLUDE = "exclude"
    WITHHOLD = "withhold"


class Answer(StrEnum):
    """What is said of one purpose: `?` is nothing, and is taken for nothing else."""

    ALLOWED = "y"
    REFUSED = "n"
    PAYMENT = "payment"
    NOT_STATED = "?"

    @property
    def words(self) -> str:
        """The answer as people read it."""
        return _IN_WORDS[self]

    @property
    def is_refusal(self) -> bool:
        """Whether a page may not be used so without more: nothing is ever paid."""
        return self in {Answer.REFUSED, Answer.PAYMENT}


_IN_WORDS = {
    Answer.ALLOWED: "permitted",
    Answer.REFUSED: "refused",
    Answer.PAYMENT: "has a price",
    Answer.NOT_STATED: "not stated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Obedience:
    """How refusals are taken of a page: for which purposes pages of its source are kept, and what becomes of a refused one.

    `obeys_tdm` is the older form: of TDMRep and `noai` alone, and of stories alone, once the page has been read.
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
        """Whether tdmrep.json, which speaks of AI alone, is asked for."""
        is_of_ai = not {Purpose.AI_INPUT, Purpose.AI_TRAIN}.isdisjoint(self.purposes)
        return self.obeys_tdm or (self.obey is not Obey.RECORD and is_of_ai)


NO_OBEDIENCE = Obedience()


class PolicyKind(StrEnum):
    """The documents that are kept as evidence."""

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
"""The names of signals, as they stand in rows."""

HEADER, META = "header", "meta"
"""The scopes of what a page says itself."""

FEED = "feed"
"""The scope of what its feed says of a page."""

UNREADABLE, UNSET = "unreadable", "unset"
"""The values of what cannot be read, and of what can be read and says nothing that is known."""

RAW_LENGTH = 500
"""Characters of a statement that are kept as they stand; the whole document is in its record."""

FORM_LENGTH = 24
"""Digits of a document's name that say what it is; the others tell its returns from its first time."""


def turn_of(policy_id: str, former: str) -> str:
    """Return what distinguishes a document that is back, after `former` stood in its place, from its earlier time."""
    return hashlib.sha256(f"{policy_id}\n{former}".encode()).hexdigest()[: 32 - FORM_LENGTH]


def returned_id(policy_id: str, turn: str | None) -> str:
    """Return the name of a document at its turn: its own if it never went."""
    return f"{policy_id[:FORM_LENGTH]}{turn}" if turn else policy_id
