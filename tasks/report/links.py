"""Links to the pages of `presslake browse` (docs/browse.md), if their address is configured. Pure."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of pages below `base`, a URL without a path; without `base` all are None."""

    base: str | None = None

    def newest(self) -> str | None:
        """Return the address of the newest articles."""
        return self._at("/")

    def source(self, source_id: str) -> str | None:
        """Return the address of a source's page."""
        return self._at(f"/sources/{quote(source_id, safe='')}")

    def reason(self, reason: str) -> str | None:
        """Return the address of the URLs that failed for a reason."""
        return self._at(f"/failures?{urlencode({'reason': reason})}")

    def failures(self) -> str | None:
        """Return the address of all failed URLs."""
        return self._at("/failures")

    def url(self, url: str) -> str | None:
        """Return the address of a URL's history, from which an article's text is linked."""
        return self._at(f"/url?{urlencode({'url': url})}")

    def _at(self, path: str) -> str | None:
        return f"{self.base.rstrip('/')}{path}" if self.base else None


NO_LINKS = Links()


def linked(shown: str, address: str | None) -> str:
    """Return a markdown link to an address; without one, the text unchanged."""
    return shown if address is None else f"[{shown}]({address})"
