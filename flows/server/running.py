"""Find a running `presslake up`: it writes its address into Prefect's home, where `ingest` looks for it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from flows.server.answering import ask_health

FILE = "presslake-up.json"


@contextmanager
def findable(api_url: str) -> Iterator[None]:
    """Let the user's other commands find a server for the duration of the block."""
    place = _place()
    half = place.with_suffix(f".{os.getpid()}")
    try:
        half.write_text(json.dumps({"pid": os.getpid(), "api_url": api_url}))
        half.replace(place)
    except OSError:  # other commands do not find the server then, but it works
        half.unlink(missing_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):
            if _content(place).get("pid") == os.getpid():
                place.unlink()


def find_running() -> str | None:
    """Return the URL of a running server's API, or None if its process is dead or does not answer."""
    content = _content(_place())
    pid, api_url = content.get("pid"), content.get("api_url")
    if not isinstance(pid, int) or not isinstance(api_url, str) or not _lives(pid):
        return None
    try:
        answer = ask_health(api_url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    return api_url if answer.status_code == httpx.codes.OK else None


def _place() -> Path:
    return Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser() / FILE


def _content(place: Path) -> dict[str, object]:
    try:
        content = json.loads(place.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
