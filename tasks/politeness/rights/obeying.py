"""Whether a page may be kept, where its source obeys what it says. Pure."""

from collections.abc import Iterable

from tasks.politeness.rights.mapping import Verdict, refusal_of
from tasks.values.rights import FEED, HEADER, META, TDMREP, Obedience, Purpose
from tasks.values.rows import Signal


def exclusion(signals: Iterable[Signal], obeyed: Obedience) -> str | None:
    """Return in a few words what refuses a purpose of the source, or prices it, and so excludes the page; else None."""
    found = refusal_of(obeyed.purposes, signals) if obeyed.is_excluding else None
    return None if found is None else refusal_detail(*found)


def site_reserves(signals: Iterable[Signal]) -> bool | None:
    """Return whether a site's tdmrep.json reserves text and data mining of a page; None where it says nothing."""
    said = {one.value for one in signals if one.signal == TDMREP}
    return True if "tdm-reservation=1" in said else False if "tdm-reservation=0" in said else None


def refusal_detail(purpose: Purpose, verdict: Verdict) -> str:
    """Return in a few words what refuses which purpose."""
    signal = verdict.signal
    if signal is None:
        return str(purpose)
    place = f"the page's {signal.scope}" if signal.scope in {FEED, HEADER, META} else f"policy {signal.policy_id}"
    return f"{purpose}: {signal.signal} {signal.value} by {place}"
