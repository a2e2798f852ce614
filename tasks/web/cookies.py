"""The cookies of one GET: some sites redirect to the same page until theirs comes back. Pure.

They go back to the origin that set them and to no other host, whatever Domain says, and are forgotten with the GET.
"""

from collections.abc import Iterable

MAX_COOKIES_SIZE = 4096


class Cookies:
    """What the origins on one GET's way have set."""

    def __init__(self) -> None:
        self._by_origin: dict[str, dict[str, str]] = {}

    def take(self, headers: Iterable[tuple[str, str]], *, origin: str) -> None:
        """Keep what an answer sets; attributes are of no matter within one GET (RFC 6265, 5.2)."""
        ours = self._by_origin.setdefault(origin, {})
        for name, value in headers:
            key, equals, text = value.partition(";")[0].partition("=")
            if name == "set-cookie" and equals:
                ours[key.strip()] = text.strip()

    def header_for(self, origin: str) -> str | None:
        """Return the Cookie field's value for a request, None where there is nothing to send."""
        line = "; ".join(f"{name}={value}" for name, value in self._by_origin.get(origin, {}).items())
        return line if line and len(line) <= MAX_COOKIES_SIZE else None
