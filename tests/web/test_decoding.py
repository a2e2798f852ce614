"""Content codings, honest and hostile."""

import gzip
import random
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import BadContentEncoding, BodyTooLarge, BodyTruncated, DecompressionBomb
from tasks.web.decoding import decode_body, decode_prefix, decode_received, decode_received_prefix
from tests.work import calls_of

MIB = 1024 * 1024
ROOT = Path(__file__).parents[2]
TEXT = "Die Brücke über den Fluß ist wieder offen. ".encode() * 400
NOISE = random.Random(7).randbytes(300_000)


def raw_deflate(body):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


def zeros(size, coding):
    """Compress zeros without holding them in memory."""
    block = bytes(MIB)
    compressor = {
        "gzip": lambda: zlib.compressobj(9, wbits=31),
        "deflate": lambda: zlib.compressobj(9),
        "zstd": lambda: zstandard.ZstdCompressor(level=3).compressobj(),
    }
    if coding == "br":
        made = brotli.Compressor(quality=5)
        return b"".join(made.process(block) for _ in range(size // MIB)) + made.finish()
    made = compressor[coding]()
    return b"".join(made.compress(block) for _ in range(size // MIB)) + made.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("plain", [b"", b"x", TEXT, NOISE], ids=["empty", "one byte", "text", "noise"])
@pytest.mark.parametrize("coding", ENCODERS)
def test_coded_content_is_decoded(coding, plain):
    assert decode_body(ENCODERS[coding](plain), coding, max_size=MIB) == plain


@given(
    plain=st.binary(max_size=5000).map(lambda part: part * 20),
    codings=st.lists(st.sampled_from(sorted(ENCODERS)), max_size=2),
)
def test_codings_are_decoded_in_reverse(plain, codings):
    body = plain
    for coding in codings:
        body = ENCODERS[coding](body)

    assert decode_body(body, ", ".join(codings), max_size=MIB) == plain


@pytest.mark.parametrize(
    "label", [None, "", "identity", "IDENTITY", " , ", "none", "utf-8", "UTF8", "binary", "aws-chunked"]
)
def test_a_label_without_meaning_changes_nothing(label):
    assert decode_body(TEXT, label, max_size=MIB) == TEXT


@pytest.mark.parametrize("label", ["GZIP", " gzip ", "aws-chunked,gzip", "gzip,utf-8", ",gzip"])
def test_coding_labels_are_parsed_leniently(label):
    assert decode_body(gzip.compress(TEXT), label, max_size=MIB) == TEXT


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (raw_deflate(TEXT), "deflate"),
        (gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), "gzip"),
        (gzip.compress(TEXT) + bytes(100), "gzip"),
        (gzip.compress(TEXT) + b"<!-- served by 7 -->", "gzip"),
        (zstandard.compress(TEXT[:100]) + zstandard.compress(TEXT[100:]), "zstd"),
        (b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstandard.compress(TEXT), "zstd"),
        (brotli.compress(TEXT) + b"<!-- served by 7 -->" * 400, "br"),
        (TEXT, "gzip"),
        (TEXT, "x-gzip"),
        (TEXT, "zstd"),
        (gzip.compress(TEXT), "gzip, gzip"),
    ],
    ids=[
        "deflate without zlib's header",
        "two gzip members",
        "zeros after gzip",
        "garbage after gzip",
        "two zstd frames",
        "a skippable frame",
        "garbage after brotli",
        "plain as gzip",
        "plain as x-gzip",
        "plain as zstd",
        "coded once, labelled twice",
    ],
)
def test_codings_as_servers_really_send_them_are_understood(body, label):
    assert decode_body(body, label, max_size=MIB) == TEXT


@pytest.mark.parametrize("label", ["compress", "sdch", "gzip, exotic", "x", "gzip, br, zstd", "gzip, gzip, gzip"])
def test_an_unknown_coding_and_a_third_one_are_refused(label):
    with pytest.raises(BadContentEncoding):
        decode_body(gzip.compress(TEXT), label, max_size=MIB)


@pytest.mark.parametrize("coding", ENCODERS)
@pytest.mark.parametrize("kept", [0.3, 0.9, -1], ids=["a third", "most", "all but one byte"])
def test_a_stream_that_ends_early_is_truncated(coding, kept):
    whole = ENCODERS[coding](NOISE)
    body = whole[: int(len(whole) * kept)] if kept > 0 else whole[:-1]

    with pytest.raises(BodyTruncated):
        decode_body(body, coding, max_size=MIB)


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (gzip.compress(TEXT)[:30] + b"\xff" * 500, "gzip"),
        (gzip.compress(TEXT)[:-8] + bytes(8), "gzip"),
        (zlib.compress(TEXT)[:30] + b"\xff" * 500, "deflate"),
        (b"\x07" * 50, "deflate"),
        (b"<!doctype html><p>plain", "br"),
        (b"\xff" * 50, "br"),
        (zstandard.compress(TEXT)[:4] + b"\xff" * 50, "zstd"),
    ],
    ids=["noise in gzip", "wrong checksum", "noise in zlib", "no deflate", "text as brotli", "no brotli", "no zstd"],
)
def test_a_corrupt_stream_is_refused(body, label):
    with pytest.raises(BadContentEncoding):
        decode_body(body, label, max_size=MIB)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_refused_and_never_materialised(coding):
    bomb = zeros(60 * MIB, coding)
    tracemalloc.start()

    with pytest.raises(DecompressionBomb):
        decode_body(bomb, coding, max_size=4 * MIB)

    _, peak_size = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_size < 12 * MIB


def test_a_bomb_within_a_bomb_is_refused():
    bomb = gzip.compress(zeros(100 * MIB, "gzip"))
    assert len(bomb) < 2000

    with pytest.raises(DecompressionBomb):
        decode_body(bomb, "gzip, gzip", max_size=MIB)


def test_brotli_does_not_grow_the_process():
    # brotli allocates outside of Python's allocator, so only the peak of another process shows it
    program = (
        "import resource, sys\n"
        "from tasks.errors import DecompressionBomb\n"
        "from tasks.web.decoding import decode_body\n"
        "body = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    decode_body(body, 'br', max_size=4 << 20)\n"
        "except DecompressionBomb:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], input=zeros(300 * MIB, "br"), capture_output=True, check=True
    )

    assert int(done.stdout) < 40_000  # KiB


def test_a_zstd_window_beyond_8_mib_is_refused():
    wide = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    made = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    body = made.compress(NOISE) + made.flush()

    with pytest.raises(BadContentEncoding):
        decode_body(body, "zstd", max_size=MIB)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_many_empty_members_are_refused_before_the_last(coding):
    body = ENCODERS[coding](b"") * 200_000

    def decode():
        with pytest.raises(BadContentEncoding):
            decode_body(body, coding, max_size=MIB)

    assert calls_of(decode) < 200_000


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072])
@pytest.mark.parametrize("coding", ENCODERS)
def test_a_body_of_exactly_the_bound_is_accepted(coding, size):
    body = ENCODERS[coding](bytes(size))

    assert len(decode_body(body, coding, max_size=size)) == size
    with pytest.raises(DecompressionBomb):
        decode_body(body, coding, max_size=size - 1)


def test_a_plain_body_above_the_bound_is_too_large():
    with pytest.raises(BodyTooLarge):
        decode_body(TEXT, None, max_size=100)


@pytest.mark.parametrize("coding", ENCODERS)
def test_a_prefix_is_decoded_from_a_truncated_stream(coding):
    whole = ENCODERS[coding](NOISE)

    prefix = decode_prefix(whole[: len(whole) // 2], coding, max_size=100_000)

    assert prefix == NOISE[:100_000]


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_prefix_of_a_bomb_is_as_long_as_was_asked(coding):
    assert decode_prefix(zeros(50 * MIB, coding), coding, max_size=1000) == bytes(1000)


@pytest.mark.parametrize(
    "plain", [b"", b"a", bytes(200_000), TEXT, NOISE], ids=["empty", "byte", "zeros", "text", "noise"]
)
@pytest.mark.parametrize("garbage", [b"z", bytes(5000), b"junk" * 2000], ids=["a byte", "zeros", "words"])
def test_trailing_data_after_brotli_is_ignored(plain, garbage):
    assert decode_body(brotli.compress(plain) + garbage, "br", max_size=MIB) == plain


@pytest.mark.parametrize("decode", [decode_received, decode_received_prefix])
@pytest.mark.parametrize(
    ("body", "label"),
    [
        (gzip.compress(TEXT), None),
        (gzip.compress(TEXT), "identity"),
        (gzip.compress(gzip.compress(TEXT)), "gzip"),
        (gzip.compress(TEXT), "br"),
        (gzip.compress(TEXT), "deflate"),
        (gzip.compress(TEXT), "gz"),
        (gzip.compress(TEXT), "gzip;q=1.0"),
        (zstandard.compress(TEXT), None),
        (zstandard.compress(TEXT), "gzip"),
        (zlib.compress(TEXT), None),
        (zlib.compress(TEXT), "gzip"),
        (TEXT, "br"),
        (TEXT, "deflate"),
        (TEXT, "sdch"),
        (TEXT, "gzip, br, zstd"),
    ],
    ids=[
        "gzip unnamed",
        "gzip as identity",
        "gzip twice, named once",
        "gzip as br",
        "gzip as deflate",
        "gzip as gz",
        "gzip with a weight",
        "zstd unnamed",
        "zstd as gzip",
        "zlib unnamed",
        "zlib as gzip",
        "as br",
        "as deflate",
        "as sdch",
        "as three",
    ],
)
def test_the_bytes_decide_the_coding_and_not_the_label(decode, body, label):
    assert decode(body, label, max_size=MIB) == TEXT


@pytest.mark.parametrize("decode", [decode_received, decode_received_prefix])
@pytest.mark.parametrize("body", [NOISE, b"\x9c\x8f" * 2000, b"short"])
def test_a_body_that_is_neither_coded_as_declared_nor_text_is_refused(decode, body):
    with pytest.raises(BadContentEncoding):
        decode(body, "sdch", max_size=MIB)
