"""The index's address for other folders. Pure."""

from pathlib import Path

from sqlalchemy.engine import make_url


def absolute_address(index_url: str) -> str | None:
    """Return the address of a file as it is called from every folder; None where it is no file."""
    url = make_url(index_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return url.set(database=str(Path(url.database).absolute())).render_as_string(hide_password=False)
