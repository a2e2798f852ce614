"""A page's own signals: TDMRep fields, robots directives by agent, and prices."""

import base64
import json

import pytest

from tasks.politeness.rights.directives import directives_for, read_robots_list, read_robots_tag
from tasks.politeness.rights.mapping import verdict_on
from tasks.politeness.rights.page import MAX_SIGNALS, feed_signals, header_signals, inline_signals, meta_signals
from tasks.politeness.rights.payment import payment_of
from tasks.values.rights import TDMREP, Answer, Purpose
from tasks.values.rows import Signal

URL = "https://gazette.example/dossier/x"
FILE = Signal(signal=TDMREP, scope="/dossier/", value="tdm-reservation=1", raw="", policy_id="p")


def page(headers=(), metas=(), inline=()):
    licensed = (signal for text in inline for signal in inline_signals(text, URL))
    return (*header_signals(headers, token="presslake"), *meta_signals(metas, token="presslake"), *licensed)


def said(signals):
    return [(one.scope, one.value) for one in signals]


@pytest.mark.parametrize(
    ("file", "header", "meta", "expected"),
    [
        (FILE, None, None, "n"),
        (FILE, "0", None, "y"),
        (FILE, "0", "1", "n"),
        (None, "1", None, "n"),
        (None, "0", None, "y"),
        (FILE, "yes", None, "n"),
        (None, "yes", None, "?"),
        (None, "0, 1", None, "n"),
        (None, "", "0", "y"),
    ],
)
def test_a_header_overrides_the_file_and_a_meta_the_header(file, header, meta, expected):
    headers = [] if header is None else [("tdm-reservation", header)]
    metas = [] if meta is None else [("tdm-reservation", meta)]

    signals = (*([file] if file else []), *page(headers, metas))

    assert verdict_on(Purpose.AI_TRAIN, signals).answer == expected
    assert verdict_on(Purpose.SEARCH, signals).answer == "?"


def test_a_policy_without_a_reservation_reserves_nothing():
    [signal] = page([("tdm-policy", "https://gazette.example/p.json")])

    assert (signal.value, verdict_on(Purpose.AI_TRAIN, [signal]).answer) == ("unset", "?")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["noai, noimageai"], {"noai", "noimageai"}),
        (["BadBot: noai, presslake: noarchive"], {"noarchive"}),
        (["nofollow", "Presslake: noai"], {"nofollow", "noai"}),
        (["unavailable_after: Wed, 03 Dec 2025 13:09:53 GMT, noai"], {"unavailable_after: wed", "noai"}),
        (["max-snippet: 0, noai"], {"max-snippet: 0", "noai"}),
        (["BadBot: noai, nofollow"], set()),
        ([",,: ,"], {":"} - {":"}),
    ],
)
def test_directives_apply_to_the_agents_they_name(fields, expected):
    assert directives_for([one for field in fields for one in read_robots_tag(field)], "Presslake") == expected


def test_x_robots_tag_lists_agents_with_their_rules():
    assert directives_for(read_robots_list("*;noindex, Presslake;nosnippet"), "presslake") == {"noindex", "nosnippet"}
    assert said(page([("robots-tag", "*;noindex,")])) == [("header", "unreadable")]


def test_a_meta_for_another_crawler_is_recorded_but_does_not_apply():
    signals = page(metas=[("gptbot", "noai"), ("robots", "noarchive"), ("description", "noai")])

    assert said(signals) == [("meta GPTBot", "noai"), ("meta", "noarchive")]
    assert verdict_on(Purpose.AI_TRAIN, signals).answer == "?"


@pytest.mark.parametrize(
    ("rule", "refused"),
    [
        ("noai", {Purpose.AI_TRAIN}),
        ("noindex", {Purpose.SEARCH}),
        ("noimageai", set()),
        ("noarchive", set()),
        ("nosnippet", set()),
    ],
)
def test_a_directive_refuses_its_purposes(rule, refused):
    signals = page([("x-robots-tag", rule)])

    assert {one for one in Purpose if verdict_on(one, signals).answer is Answer.REFUSED} == refused


def test_the_number_of_signals_of_a_page_is_bounded():
    assert len(page([("x-robots-tag", "noai"), ("content-signal", "ai-train=no")] * 500)) <= 2 * MAX_SIGNALS


LICENSED = '<rsl:content xmlns:rsl="https://rslstandard.org/rsl" url="{}"><rsl:license>{}</rsl:license></rsl:content>'
SEARCH = '<rsl:permits type="usage">search</rsl:permits>'


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        (LICENSED.format("", SEARCH), "n y n n"),
        (LICENSED.format(URL, SEARCH), "n y n n"),
        (LICENSED.format("/dossier/", SEARCH), "n y n n"),
        (LICENSED.format("/else/", SEARCH), "? ? ? ?"),
        (LICENSED.format("https://other.example/dossier/x", SEARCH), "? ? ? ?"),
        (LICENSED.format("", SEARCH)[:-20], "n n n n"),
    ],
)
def test_a_licence_in_a_feed_applies_to_its_page(licence, expected):
    signals = feed_signals(licence, URL)

    assert " ".join(verdict_on(one, signals).answer for one in Purpose) == expected
    assert {(one.scope, one.policy_id) for one in signals} <= {("feed", None)}


def test_a_charge_is_recorded():
    [signal] = page([("crawler-charged", "USD 0.01")])

    assert (signal.signal, signal.value) == ("payment", "charged USD 0.01")


X402 = {"x402Version": 1, "accepts": [{"maxAmountRequired": "10000", "asset": "USDC", "network": "base"}]}
LICENCE = [("www-authenticate", 'License error="invalid_request"'),
           ("link", '<https://gazette.example/l.xml>; rel="license"; type="application/rsl+xml"')]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (402, [("crawler-price", "USD 0.01")], b"", "crawler-price USD 0.01"),
        (401, LICENCE, b"", "licence https://gazette.example/l.xml"),
        (
            401,
            [LICENCE[0], ("link", '<https://gazette.example/l.xml>; rel="license"')],
            b"",
            "licence https://gazette.example/l.xml",
        ),
        (401, [LICENCE[0]], b"", "licence"),
        (402, LICENCE, b"", "licence https://gazette.example/l.xml"),
        (
            402,
            [("payment-required", base64.b64encode(json.dumps(X402).encode()).decode())],
            b"",
            "x402 10000 USDC base",
        ),
        (402, [], json.dumps(X402).encode(), "x402 10000 USDC base"),
        (402, [("payment-required", "!")], b"", "x402"),
        (402, [], b"", ""),
        (401, [("www-authenticate", 'Basic realm="x"')], b"", None),
        (403, [("crawler-price", "USD 0.01")], b"", None),
        (200, [("crawler-price", "USD 0.01")], b"", None),
    ],
)
def test_a_response_names_its_price_or_licence(status, headers, body, expected):
    assert payment_of(status, headers, body, origin="https://gazette.example") == expected
