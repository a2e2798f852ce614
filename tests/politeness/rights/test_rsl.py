"""RSL 1.0: what a licence grants for which page, and how licences are found."""

import pytest

from tasks.politeness.rights.links import licence_elements, licence_links
from tasks.politeness.rights.mapping import verdict_on
from tasks.politeness.rights.rsl import licence_signals, parse_rsl
from tasks.values.rights import Purpose

ORIGIN = "https://gazette.example"
PURPOSES = (Purpose.AI_TRAIN, Purpose.AI_INPUT, Purpose.SEARCH)


def usage(name, words):
    return f'<{name} type="usage">{words}</{name}>'


def document(*contents, head='xmlns="https://rslstandard.org/rsl"'):
    return f"<rsl {head}>{''.join(contents)}</rsl>".encode()


def content(inner, url="/", more=""):
    return f'<content url="{url}" {more}><license>{inner}</license></content>'


def answers(body, path="/a", purposes=PURPOSES):
    signals = tuple(licence_signals(parse_rsl(body), ORIGIN + path, policy_id="p"))
    return " ".join(verdict_on(one, signals).answer for one in purposes)


CRAWL = '<payment type="crawl"><amount currency="USD">0.02</amount></payment>'


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (usage("permits", "search"), "n n y"),
        (usage("prohibits", "ai-all"), "n n y"),
        (usage("permits", "ai-all") + usage("prohibits", "ai-train"), "n y n"),
        (usage("permits", "ai-all") + CRAWL, "payment payment n"),
        (usage("permits", "ai-input") + '<payment type="attribution"/>', "n y n"),
        (usage("prohibits", "all") + usage("permits", "search"), "n n n"),
        (usage("permits", "all") + '<permits type="geo">EU</permits>', "n n n"),
        (usage("permits", "all") + '<prohibits type="user">commercial</prohibits>', "n n n"),
        (usage("permits", "all") + '<reporting type="use" endpoint="https://a.example/"/>', "n n n"),
        (usage("permits", "all"), "y y y"),
        ("", "y y y"),
        (usage("permits", "train-ai, search"), "y n y"),
        (usage("permits", "inference"), "n y n"),
        (usage("permits", "ai-index"), "n n n"),
        (
            usage("permits", "all") + '<payment type="use"><amount currency="XBT">1</amount></payment>',
            "payment payment payment",
        ),
        ('<permits type="user">commercial</permits>' + usage("permits", "search"), "n n n"),
        (usage("permits", "ai-input") + usage("prohibits", "ai-index"), "n n n"),
        (usage("permits", "all") + '<payment type="subscription"/>', "payment payment payment"),
    ],
)
def test_a_licence_grants_its_permitted_and_not_prohibited_uses(inner, expected):
    assert answers(document(content(inner))) == expected


def test_a_licence_server_requires_a_token_even_if_nothing_is_paid():
    more = 'server="https://lic.gazette.example"'

    assert answers(document(content(usage("permits", "all"), more=more))) == "payment payment payment"


def test_the_most_specific_content_applies():
    body = document(content(usage("permits", "all")), content(usage("prohibits", "ai-train"), url="/essays/"))

    assert (answers(body, "/essays/7"), answers(body, "/x")) == ("n y y", "y y y")


def test_archiving_is_only_covered_by_all():
    said = [answers(document(content(one)), purposes=[Purpose.ARCHIVE]) for one in
            (usage("permits", "all"), usage("permits", "search"), usage("prohibits", "ai-all"), usage("prohibits", "all"))]  # fmt: skip

    assert said == ["y", "n", "y", "n"]


def test_of_two_equal_patterns_the_stricter_counts_and_offers_are_combined():
    alike = document(content(usage("permits", "all")), content(usage("prohibits", "search")))
    offers = document(f'<content url="/"><license>{usage("permits", "search")}</license>'
                      f'<license>{usage("permits", "ai-train")}{CRAWL}</license></content>')  # fmt: skip

    assert (answers(alike), answers(offers)) == ("y y n", "payment n y")


def test_content_of_another_origin_does_not_apply():
    body = document(content(usage("permits", "search"), url="https://other.example/"))

    assert answers(body) == "? ? ?"
    assert answers(document(content(usage("permits", "search"), url=f"{ORIGIN}/*.html$")), "/x.html") == "n n y"


@pytest.mark.parametrize(
    "body",
    [
        document(content(usage("permits", "all")), head=""),
        document(content(usage("permits", "all")), head='xmlns="https://other.example/rsl"'),
        document('<content url="/"><license><permit type="usage">all</permit></license></content>'),
        document(content(usage("permits", "all")))[:-3],
        document(),
        b"<!doctype html><html><body>gone</body></html>",
        b'<!DOCTYPE rsl [<!ENTITY a "all">]>' + document(content(usage("permits", "&a;"))),
        b"", b"\xff\xfe\x00", b"<rsl>" * 5000,
    ],
)  # fmt: skip
def test_an_invalid_document_grants_nothing(body):
    assert answers(body, purposes=[*PURPOSES, Purpose.ARCHIVE]) == "n n n n"
    assert parse_rsl(body).fault


def test_elements_of_other_namespaces_are_ignored():
    foreign = '<x:note xmlns:x="https://other.example/">!</x:note>'

    assert answers(document(content(usage("permits", "search") + foreign))) == "n n y"


def test_reinterpreted_terms_are_marked():
    signals = tuple(licence_signals(parse_rsl(document(content(usage("permits", "train-ai")))), ORIGIN, policy_id="p"))

    assert "lenient" in [one.value for one in signals]


def test_a_duty_is_recorded():
    body = document(content(usage("permits", "ai-input") + '<payment type="attribution"/>'))

    assert "duty=attribution" in [one.value for one in licence_signals(parse_rsl(body), ORIGIN, policy_id="p")]


def test_inline_content_applies_only_to_its_page():
    inline = (
        f'<content xmlns="https://rslstandard.org/rsl" url=""><license>{usage("permits", "search")}</license></content>'
    )
    licences = parse_rsl(inline.encode(), f"{ORIGIN}/a")

    assert [
        verdict_on(Purpose.SEARCH, licence_signals(licences, ORIGIN + path, policy_id=None)).answer
        for path in ("/a", "/ab")
    ] == ["y", "?"]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('<https://a.example/l.xml>; rel="license"; type="application/rsl+xml"', ["https://a.example/l.xml"]),
        ("<https://a.example/l.xml>; rel=license; type=application/rsl+xml", ["https://a.example/l.xml"]),
        ('<https://creativecommons.example/by/4.0/>; rel="license"', []),
        ('</l.xml>; rel="license"; type="application/rsl+xml"', []),
        ('<http://a.example/l.xml>; rel="license"; type="application/rsl+xml"', []),
        ('<https://a.example/x>; rel="next", <https://a.example/l.xml>; rel="license"; type="application/rsl+xml"',
         ["https://a.example/l.xml"]),
        ("<" * 2000, []),
    ],
)  # fmt: skip
def test_a_link_field_names_a_licence_by_its_type(field, expected):
    assert list(licence_links([field], origin=ORIGIN)) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (b'<link rel="license" type="application/rsl+xml" href="https://a.example/l.xml?a=1&amp;b=2">',
         ["https://a.example/l.xml?a=1&b=2"]),
        (b"<LINK href='https://a.example/l.xml' type=application/rsl+xml rel=license>", ["https://a.example/l.xml"]),
        (b'<link rel="license" href="https://a.example/l.xml"> application/rsl+xml', []),
        (b"<link " * 100_000 + b"application/rsl+xml", []),
    ],
)  # fmt: skip
def test_a_link_element_names_a_licence_by_its_type(page, expected):
    assert list(licence_elements(page, origin=ORIGIN)) == expected
