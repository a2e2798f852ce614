"""A stored page is made inert: scripts, requests, links and forms are removed, the content stays."""

import re

import pytest

from tasks.browse.inert import make_inert
from tasks.errors import NotAnArticle
from tests.browse.press import HOSTILE_PAGE


def inert(html: str | bytes, content_type: str = "text/html; charset=utf-8") -> str:
    return make_inert(html.encode() if isinstance(html, str) else html, content_type).decode()


@pytest.mark.parametrize(
    "html",
    [
        "<meta http-equiv=refresh content='0;url=http://e.example/'>",
        "<META HTTP-EQUIV='Refresh' CONTENT='0;url=http://e.example/'>",
        "<base href='http://e.example/'>",
        "<base target=_top>",
        "<form action='http://e.example/'>x</form>",
        "<link rel=prefetch href='http://e.example/'>",
        "<link rel=dns-prefetch href='//e.example'>",
        "<script src='http://e.example/a.js'></script>",
        "<svg><script href='http://e.example/a.js'></script></svg>",
        "<iframe srcdoc='<a href=http://e.example/>'></iframe>",
        "<object data='http://e.example/'><param name=x value='http://e.example/'></object>",
        "<embed src='http://e.example/'>",
        "<img src='http://e.example/a.png' srcset='http://e.example/b.png 2x' lowsrc='http://e.example/'>",
        "<video poster='http://e.example/'><source src='http://e.example/'></video>",
        "<picture><source srcset='http://e.example/'><img src='http://e.example/'></picture>",
        "<a href='http://e.example/' ping='http://e.example/'>x</a>",
        "<a href='java\tscript:alert(1)'>x</a>",
        "<svg><a xlink:href='javascript:alert(1)'>x</a></svg>",
        "<button formaction='http://e.example/'>x</button>",
        "<body background='http://e.example/'>x",
        "<table background='http://e.example/'><td>x",
        "<p onclick='alert(1)' onmouseover=alert(1)>x</p>",
        "<input autofocus onfocus=alert(1)>",
        "<img src='data:text/html,<script>alert(1)</script>'>",
        "<img src='data:image/svg+xml,x' onload=alert(1)>",
        "<noscript><img src='http://e.example/'></noscript>",
        "<!--[if IE]><script src='http://e.example/'></script><![endif]-->",
    ],
)
def test_active_content_is_removed(html):
    found = inert(f"<html><body><p>Before</p>{html}<p>After</p></body></html>")

    shown = re.sub(r"<style>.*?</style>", "", found)
    assert not re.search(
        r"e\.example|<script|script:|alert|refresh|<base|<form|<link|<iframe|<object|\son\w+=", shown, re.IGNORECASE
    )
    assert "Before" in found
    assert "After" in found


def test_text_and_inline_content_stay():
    found = inert(HOSTILE_PAGE)

    assert "The storm reached the isles at noon." in found
    assert 'src="data:image/gif;base64,' in found
    assert 'href="#end"' in found
    assert "Send</button>" in found


def test_a_page_in_another_charset_is_converted_to_utf_8():
    found = make_inert("<p>Tübingen, Île</p>".encode("iso-8859-1"), "text/html; charset=iso-8859-1")

    assert "Tübingen, Île" in found.decode()


def test_a_meta_charset_does_not_override_the_responses_charset():
    assert "charset" not in inert("<meta charset=utf-7><p>+ADw-script+AD4-</p>").replace("style", "")


@pytest.mark.parametrize("body", [b"", b"   ", b"%PDF-1.4 x", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_a_payload_that_is_not_a_page_is_an_error(body):
    with pytest.raises(NotAnArticle):
        make_inert(body, None)
