"""Parse the index's URL, hide its secrets, and make it independent of the working directory."""

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from tasks.errors import ConfigError
from tasks.runtime.places import is_folder, is_there

_SHOWN_OPTIONS = frozenset({"host", "port", "dbname", "sslmode"})


def parse_address(index_url: str) -> URL:
    """Parse and check an index URL. Raises ConfigError if it is malformed or points to no usable database."""
    try:
        url = make_url(index_url)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        # in a malformed URL the password may be anywhere, so a URL with `@` is not repeated
        shown = "" if "@" in index_url or "password" in index_url else f" {index_url!r}"
        reason = first_line(error).replace(index_url, "it")
        raise ConfigError(f"--index{shown} is not a database URL such as sqlite:///presslake.db: {reason}") from (
            error if shown else None
        )
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigError(f"--index {url.get_backend_name()}: use SQLite or PostgreSQL")
    if url.get_backend_name() == "sqlite":
        if url.database in {None, "", ":memory:"}:
            raise ConfigError("--index sqlite:// needs a file: an in-memory index is lost when the process ends")
        folder = Path(url.database).parent
        if not is_folder(folder):
            raise ConfigError(f"the index {index_url} cannot be opened: no such folder: {folder}")
        is_there(Path(url.database))  # SQLite does not say why it cannot open a file
    return url


def shown_address(index_url: str) -> str:
    """Return an index URL that is safe to print. Raises ConfigError if it is malformed."""
    return without_secrets(parse_address(index_url))


def without_secrets(url: URL) -> str:
    """Return the URL without its password and with only those options that identify the database."""
    hidden = [name for name in url.query if name not in _SHOWN_OPTIONS]
    return url.difference_update_query(hidden).render_as_string(hide_password=True)


def absolute_address(index_url: str) -> str | None:
    """Return an SQLite URL with an absolute path, and None for other databases."""
    url = make_url(index_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return url.set(database=str(Path(url.database).absolute())).render_as_string(hide_password=False)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its class if it has no message."""
    return (str(error).strip() or error.__class__.__name__).splitlines()[0]
