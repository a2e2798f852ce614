"""Pages suspected of being soft 404s, and their comparison with the host's answer to a made-up URL."""

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


def test_different_pages_are_not_suspected():
    assert suspected(*map(look, range(10))) == set()


def test_equal_payloads_at_two_urls_of_a_host_are_suspected():
    assert suspected(look(1, payload_digest="a"), look(2, payload_digest="a"), look(3)) == {"1", "2"}


def test_equal_payloads_at_two_hosts_are_not_suspected():
    assert suspected(look(1, payload_digest="a"), look(2, payload_digest="a", origin="https://other.example")) == set()


@pytest.mark.parametrize(("count", "expected"), [(2, set()), (3, {"0", "1", "2"})])
def test_equal_titles_at_three_urls_are_suspected(count, expected):
    assert suspected(*(look(number, title="daily") for number in range(count))) == expected


def test_missing_titles_do_not_count_as_equal():
    assert suspected(*(look(number, title="") for number in range(5))) == set()


def test_a_page_with_little_text_is_suspected():
    assert suspected(look(1, says_little=True), look(2)) == {"1"}


def test_a_template_that_repeats_the_url_resembles_itself():
    one = gist_of(page("Sorry", f"{STORY} You asked for /news/4f2a91c7.").encode())
    other = gist_of(page("Sorry", f"{STORY} You asked for /8bd03a5e.").encode())

    assert one.resembles(other)


@pytest.mark.parametrize(
    "other",
    [page("Another"), page(text=STORY + " ".join("abcdefghijklmnopqrstuvwxyz")), page(text="")],
    ids=["title", "text", "empty"],
)
def test_a_real_page_resembles_no_other(other):
    assert not gist_of(page().encode()).resembles(gist_of(other.encode()))


def test_invisible_content_is_no_text():
    assert gist_of(b"<style>p { color: red }</style><!-- a --><script>var a</script ><p>Yes<noscript>no").words == {
        "yes"
    }


@pytest.mark.parametrize("piece", [b"<", b"<script", b"<!--", b"<title", b"<a ", b"</script>", b"<script></script>"])
def test_no_page_takes_long_to_compare(piece):
    began = time.process_time()
    gist_of((piece * SEEN_SIZE)[:SEEN_SIZE])

    assert time.process_time() - began < 1
