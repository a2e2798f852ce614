"""Which signal concerns which purpose: one table, shown in docs/rights.md, and the resulting verdict. Pure.

The standards do not define how they combine. Here, any refusal refuses; otherwise a price demands payment; otherwise
any permission permits; otherwise nothing is stated, and nothing is inferred from that.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tasks.values.rights import (
    CONTENT_SIGNAL,
    CONTENT_USAGE,
    DIRECTIVE,
    FEED,
    HEADER,
    META,
    RSL,
    TDMREP,
    UNREADABLE,
    UNSET,
    Answer,
    Obedience,
    Purpose,
)
from tasks.values.rows import Signal

AS_SAID = "as said"
"""The value contains the answer: `train-ai=n` refuses, `train-ai=y` permits, `ai-train=payment` has a price."""

UNLICENSED, UNREAD = "unlicensed", "unread"
"""A licence that is invalid or missing, and one that was not looked up yet. Neither grants anything."""

MAPPING: Mapping[tuple[str, str], Mapping[Purpose, str]] = {
    (CONTENT_USAGE, "search"): {Purpose.SEARCH: AS_SAID},
    (CONTENT_USAGE, "ai-use"): {Purpose.AI_INPUT: AS_SAID},
    (CONTENT_USAGE, "train-ai"): {Purpose.AI_TRAIN: AS_SAID},
    (CONTENT_SIGNAL, "search"): {Purpose.SEARCH: AS_SAID},
    (CONTENT_SIGNAL, "ai-input"): {Purpose.AI_INPUT: AS_SAID},
    (CONTENT_SIGNAL, "ai-train"): {Purpose.AI_TRAIN: AS_SAID},
    (CONTENT_SIGNAL, "use=immediate"): {Purpose.ARCHIVE: Answer.REFUSED},
    (RSL, "all"): {Purpose.ARCHIVE: AS_SAID},
    (RSL, "search"): {Purpose.SEARCH: AS_SAID},
    (RSL, "ai-input"): {Purpose.AI_INPUT: AS_SAID},
    (RSL, "ai-train"): {Purpose.AI_TRAIN: AS_SAID},
    (RSL, UNLICENSED): dict.fromkeys(Purpose, Answer.REFUSED),
    (RSL, UNREAD): dict.fromkeys(Purpose, Answer.REFUSED),
    (TDMREP, "tdm-reservation=1"): {Purpose.AI_INPUT: Answer.REFUSED, Purpose.AI_TRAIN: Answer.REFUSED},
    (TDMREP, "tdm-reservation=0"): {Purpose.AI_INPUT: Answer.ALLOWED, Purpose.AI_TRAIN: Answer.ALLOWED},
    (DIRECTIVE, "noindex"): {Purpose.SEARCH: Answer.REFUSED},
    (DIRECTIVE, "noai"): {Purpose.AI_TRAIN: Answer.REFUSED},
}
"""By a signal's name and value, or its value's part before `=`. All others are recorded and decide nothing."""

_BY_STRICTNESS = (Answer.REFUSED, Answer.PAYMENT, Answer.ALLOWED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is stated about one purpose, and the deciding signal; `signal` is None if nothing is stated."""

    answer: Answer = Answer.NOT_STATED
    signal: Signal | None = field(default=None)


def verdict_on(purpose: Purpose, signals: Iterable[Signal]) -> Verdict:
    """Return the strictest answer of the signals about a purpose."""
    by_answer: dict[Answer, Signal] = {}
    for signal in in_force(signals):
        answer = answer_of(signal, purpose)
        if answer is not Answer.NOT_STATED:
            by_answer.setdefault(answer, signal)
    return next((Verdict(answer=one, signal=by_answer[one]) for one in _BY_STRICTNESS if one in by_answer), Verdict())


def refusal_of(purposes: Iterable[Purpose], signals: Iterable[Signal]) -> tuple[Purpose, Verdict] | None:
    """Return the first of these purposes that is refused or priced, with its verdict, or None."""
    several = tuple(signals)
    verdicts = ((purpose, verdict_on(purpose, several)) for purpose in purposes)
    return next(((purpose, verdict) for purpose, verdict in verdicts if verdict.answer.is_refusal), None)


def answer_of(signal: Signal, purpose: Purpose) -> Answer:
    """Return what one signal states about a purpose."""
    return _answer(signal.signal, signal.value or "", purpose)


@lru_cache(maxsize=4096)  # most pages repeat the same signals
def _answer(name: str, value: str, purpose: Purpose) -> Answer:
    key, _, stated = value.partition("=")
    effects = MAPPING.get((name, value)) or MAPPING.get((name, key), {})
    effect = effects.get(purpose)
    if effect is None:
        return Answer.NOT_STATED
    if effect != AS_SAID:
        return Answer(effect)
    return Answer(stated) if stated in set(Answer) else Answer.NOT_STATED


def in_force(signals: Iterable[Signal]) -> Iterator[Signal]:
    """Yield the signals that apply: TDMRep's last one that states anything, and no directives for other crawlers.

    A page's header supersedes its site's file, and its meta element the header (TDMRep, 4). The signals come in that
    order.
    """
    several = tuple(signals)
    spoken = [one for one in several if one.signal == TDMREP and one.value not in {UNSET, UNREADABLE}]
    for signal in several:
        if signal.signal == TDMREP and spoken and signal is not spoken[-1]:
            continue
        if signal.signal == DIRECTIVE and signal.scope not in {HEADER, META}:
            continue
        yield signal


def exclusion(signals: Iterable[Signal], obeyed: Obedience) -> str | None:
    """Describe what excludes the page (a refusal or price for a purpose of the source), or return None."""
    found = refusal_of(obeyed.purposes, signals) if obeyed.is_excluding else None
    return None if found is None else refusal_detail(*found)


def site_reserves(signals: Iterable[Signal]) -> bool | None:
    """Return whether a site's tdmrep.json reserves text and data mining of a page, or None if it does not say."""
    values = {signal.value for signal in signals if signal.signal == TDMREP}
    return True if "tdm-reservation=1" in values else False if "tdm-reservation=0" in values else None


def refusal_detail(purpose: Purpose, verdict: Verdict) -> str:
    """Return a short description of what refuses which purpose."""
    signal = verdict.signal
    if signal is None:
        return str(purpose)
    place = f"the page's {signal.scope}" if signal.scope in {FEED, HEADER, META} else f"policy {signal.policy_id}"
    return f"{purpose}: {signal.signal} {signal.value} by {place}"
