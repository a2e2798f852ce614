"""Links to the pages of `presslake browse` (docs/browse.md), if it is said where those are. Pure."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of pages below `base`, a URL without a path; without one there are none."""

    base: str | None = None

    def newest(self) -> str | None:
        """Return where the newest articles are."""
        return self._at("/")

    def source(self, source_id: str) -> str | None:
        """Return where a source's page is."""
        return self._at(f"/sources/{quote(source_id, safe='')}")

    def reason(self, reason: str) -> str | None:
        """Return where the URLs are that failed for a reason."""
        return self._at(f"/failures?{urlencode({'reason': reason})}")

    def failures(self) -> str | None:
        """Return where everything is that gave no page."""
        return self._at("/failures")

    def url(self, url: str) -> str | None:
        """Return where the history of a URL is; an article's leads to its text."""
        return self._at(f"/url?{urlencode({'url': url})}")

    def _at(self, path: str) -> str | None:
        return f"{self.base.rstrip('/')}{path}" if self.base else None


NO_LINKS = Links()


def linked(shown: str, address: str | None) -> str:
    """Return markdown that leads to an address, or as it is if there is none."""
    return shown if address is None else f"[{shown}]({address})"
