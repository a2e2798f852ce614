"""Serve the web interface until interrupted: address, access and server."""

import signal
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from types import FrameType

import uvicorn

from tasks.browse.app import browse_app
from tasks.browse.guard import Access, allowed_hosts
from tasks.browse.library import Search, open_library
from tasks.config.loading import load_catalogue
from tasks.config.settings import Settings
from tasks.errors import ConfigError

Say = Callable[[str], None]
OWN_ADDRESSES = ("127.0.0.1", "::1")
"""Loopback addresses, which need no token."""

MIN_TOKEN = 16
CONCURRENT = 64
STOPPED_WITHIN_S = 2


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    token_file: Path | None,
    say: Say,
    search: Search | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM; raises ConfigError."""
    address = read_host(host)
    token = read_token(token_file) if token_file else None
    if str(address) not in OWN_ADDRESSES and token is None:
        raise ConfigError(
            f"--host {host}: other machines can reach this address; add --token-file, a file with a secret of {MIN_TOKEN} "
            "characters or more"
        )
    if "catalogue" in settings.model_fields_set:
        load_catalogue(settings.catalogue)  # a mistake in a configured catalogue ends the command
    library = open_library(settings, search=search)
    with bound_socket(str(address), port) as listening:
        port = listening.getsockname()[1]
        access = Access(
            hosts=hosts_of(str(address), port, settings.browse_url, has_token=token is not None), token=token
        )
        shown = f"[{address}]" if address.version == 6 else str(address)
        say(f"Presslake is at http://{shown}:{port}/ (Ctrl-C stops it)")
        _run(uvicorn.Config(
            browse_app(library, access), log_level="error", access_log=False, server_header=False, proxy_headers=False,
            limit_concurrency=CONCURRENT, timeout_graceful_shutdown=STOPPED_WITHIN_S, ws="none",
        ), listening)  # fmt: skip
    say("Stopped.")


def hosts_of(host: str, port: int, public_url: str | None, *, has_token: bool) -> frozenset[str]:
    """Return the allowed Host headers; without a token, only those of this machine.

    PRESSLAKE_BROWSE_URL adds the name that others use.
    """
    if not has_token:
        return allowed_hosts(port)
    name = f"[{host}]" if ":" in host else host
    return allowed_hosts(port, names=() if ip_address(host).is_unspecified else (name,), public_url=public_url)


def read_host(host: str) -> IPv4Address | IPv6Address:
    """Parse the address to listen on; raises ConfigError."""
    try:
        return ip_address("127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise ConfigError(f"--host {host!r} is not an address such as 127.0.0.1, ::1 or 0.0.0.0") from error


def read_token(path: Path) -> str:
    """Return the token in a file; raises ConfigError if it is invalid."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file {path}: {getattr(error, 'strerror', None) or 'it is not text'}") from error
    if len(token) < MIN_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"--token-file {path}: a token needs {MIN_TOKEN} characters or more, ASCII without spaces")
    return token


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises ConfigError if the address cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise ConfigError(
            f"port {port} of {host} cannot be used: {error.strerror or error}; choose another with --port"
        ) from error
    return made


def _run(config: uvicorn.Config, listening: socket.socket) -> None:
    # uvicorn re-raises the signal that ended it; and a shell starts background jobs with SIGINT ignored
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, _interrupt)
    server = uvicorn.Server(config)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        return


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
