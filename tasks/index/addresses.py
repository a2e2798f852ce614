"""The index's address: read, shown without its secrets, and as it is called from other folders."""

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from tasks.errors import ConfigError
from tasks.runtime.places import is_folder, is_there

_SHOWN_OPTIONS = frozenset({"host", "port", "dbname", "sslmode"})


def parse_address(index_url: str) -> URL:
    """Return an index's address in its parts; raises ConfigError if it is none, or that of no index."""
    try:
        url = make_url(index_url)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        # a malformed URL may have its password anywhere, so nothing of one with `@` is repeated
        shown = "" if "@" in index_url or "password" in index_url else f" {index_url!r}"
        reason = first_line(error).replace(index_url, "it")
        raise ConfigError(f"--index{shown} is not a database URL such as sqlite:///presslake.db: {reason}") from (
            error if shown else None
        )
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigError(f"--index {url.get_backend_name()}: the index is SQLite or PostgreSQL")
    if url.get_backend_name() == "sqlite":
        if url.database in {None, "", ":memory:"}:
            raise ConfigError("--index sqlite:// needs a file: an index in memory is lost with the process")
        folder = Path(url.database).parent
        if not is_folder(folder):
            raise ConfigError(f"the index {index_url} cannot be opened: there is no folder {folder}")
        is_there(Path(url.database))  # SQLite does not say why it cannot open a file
    return url


def shown_address(index_url: str) -> str:
    """Return an index's URL for people; raises ConfigError if it is none."""
    return without_secrets(parse_address(index_url))


def without_secrets(url: URL) -> str:
    """Return the URL for people: no password, and of its options those alone that say where it is."""
    hidden = [name for name in url.query if name not in _SHOWN_OPTIONS]
    return url.difference_update_query(hidden).render_as_string(hide_password=True)


def absolute_address(index_url: str) -> str | None:
    """Return the address of a file as it is called from every folder; None if it is no file."""
    url = make_url(index_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return url.set(database=str(Path(url.database).absolute())).render_as_string(hide_password=False)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, else the name of its class."""
    return (str(error).strip() or error.__class__.__name__).splitlines()[0]
