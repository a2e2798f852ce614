"""Heads with invalid lines: what is removed, what stays, and that a body's length is never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.web.heads import MAX_HEAD_SIZE, described, mended_head
from tasks.web.stream import HeadMender

OK = "HTTP/1.1 200 OK"


def head(*lines, end="\r\n"):
    return end.join((OK, *lines, "", "")).encode("latin-1")


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (["A: 1", "X Powered By: a cms"], ["A:1"]),
        (["PHP Notice in line 12", "A: 1"], ["A:1"]),
        (["cache/story.php: hit", "A: 1"], ["A:1"]),
        ([": 1", "A: 1"], ["A:1"]),
        (["Ä: 1", "A: 1"], ["A:1"]),
        (["X Y: 1", "  folded", "A: 1"], ["A:1"]),
        (["A : 1"], ["A:1"]),
        (["A: 1", "Transfer-Encoding: identity"], ["A:1"]),
        (["Transfer-Encoding: chunked", "A: 1", "transfer-encoding: Chunked"], ["A:1", "Transfer-Encoding:chunked"]),
        (["Transfer-Encoding: chunked, identity", "A: 1"], ["A:1", "Transfer-Encoding:chunked"]),
        (["Content-Length: 5,", "A: 1"], ["Content-Length:5", "A:1"]),
        (["content-length: 5; q"], ["content-length:5"]),
        (["Content-Length: 5 bytes"], ["Content-Length:5"]),
        (["Content-Length:", "A: 1"], ["A:1"]),
        (["  folded", "A: 1"], ["A:1"]),
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_invalid_header_lines_are_removed(lines, kept, end):
    mended, _ = mended_head(head(*lines, end=end))

    assert [line.replace(b": ", b":").decode() for line in mended.split(b"\r\n")] == [OK, *kept, "", ""]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["Content-Type: text/html", "Content-Length: 5"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: gzip"],
        ["A: 1", "  folded"],
    ],
)
def test_fields_and_framing_are_kept(lines):
    mended, notes = mended_head(head(*lines))

    assert (mended, notes) == (head(*lines), ())


def test_changes_are_described():
    _, notes = mended_head(head("X Y: 1", "Transfer-Encoding: identity", *(f"no field {one}" for one in range(9))))

    assert described(notes[:1]) == "head mended: dropped 'X Y: 1'"
    assert described(notes).endswith("; and 6 more")
    assert described(()) is None


def fed(*parts):
    mender = HeadMender()
    return b"".join(seen for part in parts if (seen := mender.take(part)) is not None), mender


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_response_is_mended_wherever_its_chunks_are_split(size):
    answer = head("X Y: 1", "Content-Length: 4") + b"a\n\nb"

    seen, mender = fed(*(answer[at : at + size] for at in range(0, len(answer), size)))

    assert seen == head("Content-Length: 4") + b"a\n\nb"
    assert mender.original == head("X Y: 1", "Content-Length: 4")


def test_heads_before_the_final_one_are_mended_too():
    early = b"HTTP/1.1 103 Early Hints\r\nno field\r\nLink: </a>\r\n\r\n"

    seen, mender = fed(early + head("A: 1", "no field") + b"body")

    assert seen == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + head("A: 1") + b"body"
    assert mender.notes == ("dropped 'no field'",)


@pytest.mark.parametrize("answer", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: 1", b"\x16\x03\x01", b"H"])
def test_non_http_and_truncated_heads_pass_unchanged(answer):
    assert fed(answer, b"")[0] == answer


def test_an_endless_head_is_not_buffered_for_ever():
    line = b"A: 1\r\n" * 1000
    mender = HeadMender()

    seen = [mender.take(part) for part in (b"HTTP/1.1 200 OK\r\n", *[line] * (MAX_HEAD_SIZE // len(line) + 2))]

    assert seen[0] is None
    assert seen[-1]


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_no_head_raises_and_a_mended_one_needs_no_mending(lines):
    once, _ = mended_head(b"\r\n".join([OK.encode(), *(line.replace(b"\n", b"") for line in lines), b"", b""]))

    assert mended_head(once)[0] == once


@pytest.mark.parametrize("blanks", [b"\r\n", b"\n", b"\r\n\r\n"])
@pytest.mark.parametrize("size", [1, 1000])
def test_a_few_line_ends_before_a_response_are_removed(blanks, size):
    answer = blanks + head("Content-Length: 4") + b"a\n\nb"

    assert fed(*(answer[at : at + size] for at in range(0, len(answer), size)))[0] == answer.removeprefix(blanks)


def test_endless_line_ends_are_no_response():
    assert fed(*[b"\r\n"] * 100)[0]


@pytest.mark.parametrize("first", ["HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK"])
def test_a_status_line_may_have_other_white_space(first):
    mended, notes = mended_head(f"{first}\r\nA: 1\r\n\r\n".encode())

    assert mended == head("A: 1")
    assert notes == (f"read {first!r} with single spaces",)


@pytest.mark.parametrize("value", ["many", "5, 6", "-5", "+5", "0x5", "5 of 9", '"5"', "9" * 30])
def test_a_doubtful_length_is_kept_and_refused(value):
    assert f"Content-Length:{value}" in mended_head(head(f"Content-Length: {value}"))[0].decode().replace(": ", ":")


@pytest.mark.parametrize("first", ["HTTP/1.1 200OK", "HTTP/1.1 20", "HTTP/1 200 OK", "ICY 200 OK"])
def test_an_invalid_status_line_is_kept(first):
    assert mended_head(f"{first}\r\nA: 1\r\n\r\n".encode())[0].startswith(first.encode())
