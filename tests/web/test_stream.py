"""The byte stream of one connection, with a bound for each wait."""

import asyncio
import ssl

import httpcore
import pytest

from tasks.errors import TlsFailed
from tasks.web.budget import Budget
from tasks.web.stream import MAX_WAITING_SIZE, connect
from tests.web.loopback import listening


async def test_received_data_is_read_in_pieces_of_at_most_the_requested_size():
    async def talks(reader, writer):
        writer.write(b"0123456789")
        writer.close()

    async with listening(talks) as port:
        stream = await connect("127.0.0.1", port, budget())
        pieces = [piece async for piece in reading(stream, 4)]
        await stream.aclose()

    assert b"".join(pieces) == b"0123456789"
    assert max(map(len, pieces)) == 4


async def test_an_unread_server_is_held_back_by_backpressure():
    sent = 0

    async def talks(reader, writer):
        nonlocal sent
        while True:
            writer.write(bytes(64 * 1024))
            await writer.drain()
            sent += 64 * 1024

    async with listening(talks) as port:
        stream = await connect("127.0.0.1", port, budget())
        await stream.read(1, 5.0)
        waited = [sent]
        while len(waited) < 3 or waited[-1] > waited[-3]:
            await asyncio.sleep(0.05)
            waited.append(sent)
        held = stream._waiting_size
        for _ in range(100):
            await stream.read(64 * 1024, 5.0)
        await stream.aclose()

    assert MAX_WAITING_SIZE < held < 4 * MAX_WAITING_SIZE
    assert sent > waited[-1]


async def test_a_reset_is_an_error_and_not_the_end():
    async def resets(reader, writer):
        writer.transport.abort()

    async with listening(resets) as port:
        stream = await connect("127.0.0.1", port, budget())
        with pytest.raises((httpcore.ReadError, httpcore.WriteError)):
            while True:
                await stream.write(bytes(100_000), 5.0)
                await asyncio.sleep(0)


async def test_a_write_to_a_server_that_reads_nothing_times_out():
    async def sleeps(reader, writer):
        reader._transport.pause_reading()
        await asyncio.sleep(2)

    async with listening(sleeps) as port:
        stream = await connect("127.0.0.1", port, budget())
        with pytest.raises(httpcore.WriteTimeout):
            for _ in range(1000):
                await stream.write(bytes(100_000), 0.3)
        await stream.aclose()


async def test_plain_data_before_the_handshake_does_not_count_as_tls_data():
    async def talks(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await reader.read()

    async with listening(talks) as port:
        stream = await connect("127.0.0.1", port, budget())
        while not stream.get_extra_info("is_readable"):
            await asyncio.sleep(0.01)
        with pytest.raises(TlsFailed, match="before the handshake"):
            await stream.start_tls(ssl.create_default_context(), "a.example", 5.0)
        await stream.aclose()


async def test_a_connection_that_the_server_closed_is_readable():
    async def closes(reader, writer):
        writer.close()

    async with listening(closes) as port:
        stream = await connect("127.0.0.1", port, budget())
        assert await stream.read(10, 5.0) == b""
        assert stream.get_extra_info("is_readable")
        await stream.aclose()


def budget():
    return Budget(deadline_s=5.0, max_body_size=100_000_000)


async def reading(stream, size):
    while piece := await stream.read(size, 5.0):
        yield piece
