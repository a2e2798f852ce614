"""Bodies that end before their end: a server that always declares more than it sends has a page all the same. Pure.

The first two looks say that the body is cut short, and it is looked at again. Where a third gave the same bytes, it is not
the connection: what came is taken for the page.
"""

from tasks.values.look import DueUrl

LOOKS = 3
"""So many looks with the same bytes, and they are taken."""


def seen_partial(due: DueUrl, digest: str) -> str:
    """Return what is kept of a body that was cut short: how many looks in a row gave it, and its digest."""
    number, _, before = (due.partial or "0 ").partition(" ")
    return f"{int(number) + 1 if before == digest else 1} {digest}"


def is_taken(partial: str) -> bool:
    """Whether a body was cut short in the same place so often that it is the page."""
    return int(partial.partition(" ")[0]) >= LOOKS
