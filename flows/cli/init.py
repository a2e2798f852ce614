"""The command `presslake init`: write a commented catalogue; prompt for what no flag gives."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import CatalogueOption, QuietOption, one_clear_line
from flows.cli.saying import say
from tasks.errors import ConfigError

if TYPE_CHECKING:
    from tasks.config.settings import Settings

CONTACT = "Contact page or address for site operators, sent with each request (Enter for none)"
SITES = "Sites to follow, separated by spaces (Enter for none)"


def init(
    url: Annotated[
        list[str] | None, typer.Argument(metavar="[URL]...", help="Sites to follow; a bare domain is enough.")
    ] = None,
    contact: Annotated[
        str | None, typer.Option("--contact", help="Contact page or address for site operators.")
    ] = None,
    crawl_delay: Annotated[
        float, typer.Option("--crawl-delay", min=0, max=86_400, help="Seconds between two requests to one host.")
    ] = 1.0,
    allow_network: Annotated[
        list[str] | None,
        typer.Option("--allow-network", help="Non-public network that may be fetched, as CIDR."),
    ] = None,
    catalogue: CatalogueOption = None,
    quiet: QuietOption = False,
) -> None:
    """Create a commented catalogue; asks for missing values on a terminal."""
    with one_clear_line():
        from tasks.config.settings import set_flags
        from tasks.runtime.places import is_there

        settings = set_flags(catalogue=catalogue)
        path = settings.catalogue
        if is_there(path):
            raise ConfigError(f"{path} already exists: add to it with `presslake sources add URL --write`")
        if sys.stdin.isatty() and not quiet:
            contact = _ask(CONTACT) if contact is None else contact
            url = url or _ask(SITES).replace(",", " ").split()
        from tasks.config.starter import write_starter

        write_starter(path, contact=contact or None, crawl_delay_s=crawl_delay, networks=tuple(allow_network or ()))
        say(f"Made {path}.")
        if url:
            _add(settings, url)
        else:
            say("Next: presslake sources add www.example.org --write")


def _ask(question: str) -> str:
    answer: str = typer.prompt(question, default="", show_default=False, err=True)
    return answer.strip()


def _add(settings: "Settings", urls: list[str]) -> None:
    from flows.cli.sources import add_and_hand_over

    add_and_hand_over(urls, settings, is_written=True)


def add_command(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)
