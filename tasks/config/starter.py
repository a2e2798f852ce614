"""The catalogue that `presslake init` creates: explained by comments, without sources."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from tasks.config.catalogue import DEFAULT_USER_AGENT, Defaults
from tasks.errors import CatalogueError, ConfigError
from tasks.runtime.places import worded

PRODUCT = DEFAULT_USER_AGENT.partition(" ")[0]

_TEXT = """\
# The sources that Presslake follows. For all fields, see docs/catalogue.md, or use `presslake sources schema` in your editor.
#
#   presslake sources add www.example.org --write    find a site's feeds and add it at the end
#   presslake sources list                           check this file
#   presslake ingest                                 fetch what is new

defaults:
  # The user agent that every site sees; include a contact page or address.
  {user_agent}
  # Seconds between two requests to one host; robots.txt may require more.
  crawl_delay_s: {crawl_delay_s!r}
{networks}
# - id: daily                                # its name in the lake
#   home_url: https://www.example.org/
#   feeds: [https://www.example.org/rss]     # and sitemaps, listings, urls
#   tags: [local]                            # your own, stored with each article
sources: []
"""


def write_starter(path: Path, *, contact: str | None, crawl_delay_s: float, networks: Sequence[str] = ()) -> None:
    """Write the starter catalogue to a new file; raises ConfigError for an invalid contact, CatalogueError if the file exists."""
    text = starter_catalogue(contact=contact, crawl_delay_s=crawl_delay_s, networks=networks)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise CatalogueError(f"{path} already exists") from error
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be written: {worded(error)}") from error


def starter_catalogue(*, contact: str | None, crawl_delay_s: float = 1.0, networks: Sequence[str] = ()) -> str:
    """Return the text of the starter catalogue; raises ConfigError for an invalid contact."""
    user_agent = f"{PRODUCT} (+{contact})" if contact else DEFAULT_USER_AGENT
    try:
        Defaults.model_validate({"user_agent": user_agent, "allow_networks": networks})
    except ValidationError as error:
        first = error.errors()[0]
        flag = "contact" if first["loc"][0] == "user_agent" else "allow-network"
        raise ConfigError(f"--{flag}: {first['msg']}") from error
    quoted = user_agent.replace("\\", "\\\\").replace('"', '\\"')
    line = f'user_agent: "{quoted}"'
    listed = ", ".join(f'"{network}"' for network in networks)
    return _TEXT.format(
        user_agent=line if contact else f"# {line}",
        crawl_delay_s=float(crawl_delay_s),
        networks=f"  # Non-public networks that may be fetched.\n  allow_networks: [{listed}]\n" if listed else "",
    )
