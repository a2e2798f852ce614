"""Measure the client's CPU per request over loopback, optionally against another version of Presslake.

    python -m benchmarks.web [--hosts N] [--requests N] [--rounds N] [--beside CHECKOUT]

Each client runs in its own process, `--beside` with the code of that checkout (`git worktree add /tmp/old v0.1.0`). A server
process answers for all hosts, which are addresses in 127.0.0.0/8. With a checkout, rounds are pairs in alternating order, and
the difference is the median over the pairs.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BODY = b"<html><title>A page</title>" + b"<p>Twelve words of an article that is asked for again and again.</p>" * 400
HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: "a"\r\nContent-Length: %d\r\n\r\n' % len(BODY)
WARM_UP = 2
"""Unmeasured requests to each host that open its connection."""


async def _serve() -> None:
    """Serve every address of 127.0.0.0/8; print the port first."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(HEAD + BODY)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(talk, "0.0.0.0", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _ask(port: int, hosts: int, requests: int) -> float:
    """Return the client's CPU in ms per request; hosts are requested concurrently."""
    from tasks.web.client import WebClient, WebConfig
    from tasks.web.guard import AddressGuard

    async with WebClient(WebConfig(user_agent="benchmark"), AddressGuard(("127.0.0.0/8",))) as client:

        async def visit(host: int, count: int) -> None:
            for number in range(count):
                fetched = await client.get(f"http://127.0.9.{host + 1}:{port}/2026/03/01/story-{number}.html?page=1")
                if fetched.content != BODY:
                    raise RuntimeError("another body than was sent")

        async def visit_all(count: int) -> None:
            await asyncio.gather(*(visit(host, count) for host in range(hosts)))

        await visit_all(WARM_UP)
        began = time.process_time()
        await visit_all(requests)
        return (time.process_time() - began) * 1000 / (hosts * requests)


def _cost_ms(checkout: Path, port: int, hosts: int, requests: int) -> float:
    client = subprocess.run(
        [sys.executable, __file__, "--client", json.dumps([port, hosts, requests])],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        cwd=checkout,
        stdout=subprocess.PIPE,
        check=True,
    )
    return float(client.stdout)


def _measure(port: int, options: argparse.Namespace) -> None:
    sides = {"this": ROOT, **({"beside": options.beside.resolve()} if options.beside else {})}
    costs: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(options.rounds):
        for side in sorted(sides, reverse=number % 2 == 1):
            costs[side].append(_cost_ms(sides[side], port, options.hosts, options.requests))
        print(f"round {number + 1}: " + ", ".join(f"{side} {costs[side][-1]:.3f} ms" for side in sides), flush=True)
    print("\n| version | CPU a request, median | least |\n|---|---|---|")
    for side, found in costs.items():
        print(f"| {side} | {statistics.median(found):.3f} ms | {min(found):.3f} ms |")
    if options.beside:
        pairs = [this - other for this, other in zip(costs["this"], costs["beside"], strict=True)]
        print(f"\nThis version costs {statistics.median(pairs):+.3f} ms a request (median of {len(pairs)} pairs).")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--requests", type=int, default=40, help="to each host")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--beside", type=Path, help="a checkout of another version")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--server", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.server:
        asyncio.run(_serve())
    elif options.client:
        print(asyncio.run(_ask(*json.loads(options.client))))
    else:
        server = subprocess.Popen([sys.executable, __file__, "--server"], stdout=subprocess.PIPE)
        try:
            _measure(int(server.stdout.readline()), options)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
