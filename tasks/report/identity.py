"""A page about the crawler for operators of the sites that it visits, from catalogue and settings. Pure.

It contains what crawler operators should publish (draft-illyes-webbotauth-cbcp-00): purpose, contact, request rate,
what is obeyed, and a robots.txt that blocks the crawler. It names no source.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from tasks.config.catalogue import Catalogue
from tasks.config.settings import Settings
from tasks.values.display import plural
from tasks.values.rights import Obey, Purpose
from tasks.values.user_agent import product_token

_URL = re.compile(r"https?://[^\s();,]+")
_MAIL = re.compile(r"[^\s();,<>:/]+@[^\s();,<>/]+\.[^\s();,<>/]+")

PURPOSES = {
    Purpose.ARCHIVE: "archiving pages",
    Purpose.SEARCH: "a search index with links and short excerpts",
    Purpose.AI_INPUT: "input to AI systems",
    Purpose.AI_TRAIN: "training of AI models",
}
OBEYED = {
    Obey.RECORD: "What your site says about these uses is recorded with each page.",
    Obey.WITHHOLD: "A page that your site refuses for one of these uses is kept, but not passed on for that use.",
    Obey.EXCLUDE: "A page that your site refuses for one of these uses is not fetched, or not kept.",
}
HONOURED = (
    "robots.txt (RFC 9309), fetched once a day, with Crawl-delay up to 120 seconds",
    "Retry-After, and longer pauses for a site that is slow or busy",
    "ETag and Last-Modified, so that unchanged pages are not sent again",
)
READ = (
    "Content-Usage (AIPREF, draft-ietf-aipref-vocab-08)",
    "Content-Signal (contentsignals.org)",
    "RSL 1.0 licences",
    "TDMRep (tdm-reservation, /.well-known/tdmrep.json)",
    "X-Robots-Tag and robots meta elements, with noai",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The facts about the crawler; `agents` are its user agents, each with its name in robots.txt."""

    agents: tuple[tuple[str, str], ...]
    contacts: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    obeys: tuple[Obey, ...]
    crawl_delay_s: tuple[float, float]
    max_per_host: int
    is_rendering: bool

    @property
    def robots_txt(self) -> str:
        """Return the robots.txt that blocks the crawler."""
        tokens = dict.fromkeys(token for token, _ in self.agents if token)
        return "".join(f"User-agent: {token}\n" for token in tokens) + "Disallow: /\n"

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "agents": [{"token": token, "user_agent": agent} for token, agent in self.agents],
            "contacts": list(self.contacts),
            "purposes": [one.value for one in self.purposes],
            "obey": [one.value for one in self.obeys],
            "crawl_delay_s": list(self.crawl_delay_s),
            "max_per_host": self.max_per_host,
            "renders_scripts": self.is_rendering,
            "honours": list(HONOURED),
            "reads": list(READ),
            "robots_txt": self.robots_txt,
        }

    def to_html(self) -> str:
        """Return it as a self-contained page."""
        name = escape(next((token for token, _ in self.agents if token), "This crawler"))
        body = "\n".join(self._blocks())
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width">\n'
            f"<title>{name}: who we are</title>\n</head>\n<body>\n<h1>{name}</h1>\n{body}\n</body>\n</html>\n"
        )

    def _blocks(self) -> Iterator[str]:
        yield "<p>This crawler collects news articles that sites announce in their feeds and sitemaps.</p>"
        yield "<h2>What pages are used for</h2>"
        yield _list(PURPOSES[one] for one in self.purposes)
        yield from (f"<p>{OBEYED[one]}</p>" for one in self.obeys)
        yield "<h2>How it visits</h2>"
        shortest, longest = self.crawl_delay_s
        pause = f"{shortest:g}" if shortest == longest else f"{shortest:g} to {longest:g}"
        unit = "second" if pause == "1" else "seconds"
        at_once = plural(self.max_per_host, "request")
        yield f"<p>At most {at_once} to one host at a time, and {pause} {unit} between two of them.</p>"
        yield f"<p>It {'runs' if self.is_rendering else 'does not run'} the scripts of pages.</p>"
        yield "<h2>What it respects</h2>"
        yield _list(HONOURED)
        yield "<h2>What else it reads</h2>"
        yield _list(READ)
        yield "<h2>How to keep it away</h2>"
        yield f"<p>Put this into your robots.txt; it takes effect within a day:</p>\n<pre>{escape(self.robots_txt)}</pre>"
        yield "<h2>User agents</h2>"
        yield _list(agent for _, agent in self.agents)
        yield "<h2>Contact</h2>"
        yield _list(self.contacts) if self.contacts else "<p>None is configured.</p>"


def identity_of(catalogue: Catalogue, settings: Settings) -> Identity:
    """Return the crawler's identity from the catalogue's user agents, purposes and delays, and the settings' contact."""
    rules = list(catalogue.rules().values())
    agents = sorted({one.user_agent for one in rules})
    named = [found for agent in agents for pattern in (_MAIL, _URL) for found in pattern.findall(agent)]
    purposes = {purpose for one in rules for purpose in one.obedience.purposes}
    obeys = {one.obedience.obey for one in rules}
    return Identity(
        agents=tuple((product_token(agent), agent) for agent in agents),
        contacts=tuple(dict.fromkeys([*([settings.contact] if settings.contact else []), *named])),
        purposes=tuple(one for one in Purpose if one in purposes),
        obeys=tuple(one for one in Obey if one in obeys),
        crawl_delay_s=(min(one.crawl_delay_s for one in rules), max(one.crawl_delay_s for one in rules)),
        max_per_host=max(one.max_per_host for one in rules),
        is_rendering=any(one.render != "none" for one in rules),
    )


def _list(items: Iterable[str]) -> str:
    return "<ul>\n" + "".join(f"<li>{escape(one)}</li>\n" for one in items) + "</ul>"
