"""Whether a page may be kept, where its source obeys what it says. Pure."""

from collections.abc import Iterable

from tasks.errors import RightsRefused
from tasks.politeness.rights.mapping import Verdict, refusal_of
from tasks.values.rights import FEED, HEADER, META, TDMREP, Obedience, Purpose
from tasks.values.rows import Signal


def check_refusal(signals: Iterable[Signal], obeyed: Obedience, *, url: str) -> None:
    """Raise RightsRefused where a purpose of the source is refused, or has a price, and that excludes the page."""
    if obeyed.is_excluding and (found := refusal_of(obeyed.purposes, signals)) is not None:
        raise RightsRefused(f"{refusal_detail(*found)}, at {url}")


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
