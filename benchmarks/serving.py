"""Run a loopback server in its own process, so that its CPU and memory are not counted."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def serve(talk: Talk, hosts: Iterable[str]) -> None:
    """Serve all addresses on one port until the process ends; print the port first."""
    port = 0
    for address in hosts:
        listener = await asyncio.start_server(talk, address, port, backlog=64)
        port = listener.sockets[0].getsockname()[1]
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[int]:
    """Run a module's server in a child process during the block; yield its port."""
    words = [sys.executable, "-m", module, "--serve", *arguments]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        yield int((child.stdout.readline() if child.stdout else "") or sys.exit("the server did not start"))
    finally:
        child.terminate()
        child.wait()
