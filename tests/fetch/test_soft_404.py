"""Which pages look as if their host gave them for anything, and when they are that."""

import time

import pytest
from isal import isal_zlib

from tasks.fetch.soft_404 import SEEN_SIZE, Sample, gist_of, suspects

STORY = "The old harbour will open to ferries again on Monday morning, the port authority said after three weeks. " * 5


def page(title="Harbour reopens", text=STORY):
    return f"<html><head><title>{title}</title><script>var a = '<p>hidden';</script></head><body><p>{text}</p></body></html>"


def look(number, *, origin="https://daily.example", **changes):
    start = changes.pop("start", page(title=f"Story {number}")).encode()
    return Sample(
        **{
            "number": number,
            "source_id": "daily",
            "origin": origin,
            "payload_digest": f"sha256:{number}",
            "title": f"story {number}",
            "says_little": False,
            "packed_start": isal_zlib.compress(start),
            **changes,
        }
    )


def suspected(*looks):
    return {str(one.number) for group in suspects(looks).values() for one in group}


def test_pages_that_differ_are_no_suspects():
    assert suspected(*map(look, range(10))) == set()


def test_one_payload_at_two_urls_of_a_host_is_suspect():
    assert suspected(look(1, payload_digest="a"), look(2, payload_digest="a"), look(3)) == {"1", "2"}


def test_one_payload_at_two_hosts_is_not():
    assert suspected(look(1, payload_digest="a"), look(2, payload_digest="a", origin="https://other.example")) == set()


@pytest.mark.parametrize(("count", "expected"), [(2, set()), (3, {"0", "1", "2"})])
def test_one_title_at_three_urls_is_suspect(count, expected):
    assert suspected(*(look(number, title="daily") for number in range(count))) == expected


def test_pages_without_a_title_have_none_in_common():
    assert suspected(*(look(number, title="") for number in range(5))) == set()


def test_a_page_that_says_little_is_suspect():
    assert suspected(look(1, says_little=True), look(2)) == {"1"}


def test_a_template_resembles_itself_whatever_url_it_repeats():
    one = gist_of(page("Sorry", f"{STORY} You asked for /news/4f2a91c7.").encode())
    other = gist_of(page("Sorry", f"{STORY} You asked for /8bd03a5e.").encode())

    assert one.resembles(other)


@pytest.mark.parametrize(
    "other",
    [page("Another"), page(text=STORY + " ".join("abcdefghijklmnopqrstuvwxyz")), page(text="")],
    ids=["title", "text", "empty"],
)
def test_a_page_of_its_own_resembles_no_other(other):
    assert not gist_of(page().encode()).resembles(gist_of(other.encode()))


def test_what_is_not_on_show_is_no_text():
    assert gist_of(b"<style>p { color: red }</style><!-- a --><script>var a</script ><p>Yes<noscript>no").words == {
        "yes"
    }


@pytest.mark.parametrize("piece", [b"<", b"<script", b"<!--", b"<title", b"<a ", b"</script>", b"<script></script>"])
def test_no_page_takes_long_to_look_at(piece):
    began = time.process_time()
    gist_of((piece * SEEN_SIZE)[:SEEN_SIZE])

    assert time.process_time() - began < 1
