"""Feeds of every family, valid and broken."""

import io
import time
import tracemalloc
import warnings
from contextlib import suppress
from datetime import UTC, datetime

import feedparser
import pytest

from tasks.errors import NotAFeed
from tasks.feeds.rss_atom import MAX_ENTRIES, MAX_LICENCE_LENGTH
from tasks.politeness.rights.rsl import parse_rsl
from tests.documents import parse_feed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://daily.example/feed.xml"
HARBOUR = "https://daily.example/2026/harbour"
BRIDGE = "https://daily.example/2026/bridge"

RSS_090 = f"""<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">
<channel><title>Daily</title><link>https://daily.example/</link></channel>
<item><title>Harbour</title><link>{HARBOUR}</link></item>
<item><title>Bridge</title><link>{BRIDGE}</link></item></rdf:RDF>"""

RSS_091 = f"""<?xml version="1.0"?>
<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91"><channel><title>Daily</title>
<item><title>Harbour</title><link>{HARBOUR}</link></item>
<item><title>Bridge</title><link>{BRIDGE}</link></item></channel></rss>"""

RSS_092 = f"""<rss version="0.92"><channel><title>Daily</title>
<item><link>{HARBOUR}</link><title>Harbour</title><enclosure url="https://daily.example/a.mp3" length="1" type="audio/mpeg"/></item>
<item><title>Bridge</title><link>{BRIDGE}</link></item></channel></rss>"""

RSS_10 = f"""<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
<channel rdf:about="https://daily.example/"><title>Daily</title><sy:updatePeriod>hourly</sy:updatePeriod>
<sy:updateFrequency>2</sy:updateFrequency><items><rdf:Seq><rdf:li rdf:resource="{HARBOUR}"/></rdf:Seq></items></channel>
<item rdf:about="{HARBOUR}"><title>Harbour</title><link>{HARBOUR}</link><dc:date>2026-02-28T10:00:00+01:00</dc:date></item>
<item rdf:about="{BRIDGE}"><title>Bridge</title></item></rdf:RDF>"""

RSS_20 = f"""<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>Daily</title><ttl>30</ttl>
<atom:link href="{URL}" rel="self" type="application/rss+xml"/>
<item><title>Harbour</title><link>{HARBOUR}</link><guid isPermaLink="false">1</guid>
<pubDate>Sat, 28 Feb 2026 10:00:00 +0100</pubDate></item>
<item><title>Bridge</title><guid>{BRIDGE}</guid></item></channel></rss>"""

ATOM_03 = f"""<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Daily</title>
<entry><title>Harbour</title><link rel="alternate" type="text/html" href="{HARBOUR}"/><issued>2026-02-28T09:00:00Z</issued>
<modified>2026-02-28T11:00:00Z</modified></entry>
<entry><title>Bridge</title><link rel="alternate" type="text/html" href="{BRIDGE}"/></entry></feed>"""

ATOM_10 = f"""<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Daily</title><link rel="self" href="{URL}"/>
<entry><title type="html">Harbour</title><link rel="enclosure" href="https://daily.example/a.mp3"/>
<link rel="alternate" type="application/pdf" href="https://daily.example/a.pdf"/><link href="{HARBOUR}"/>
<id>tag:daily.example,2026:1</id><published>2026-02-28T09:00:00Z</published><updated>2026-02-28T11:00:00Z</updated></entry>
<entry><title>Bridge</title><link href="{BRIDGE}"/><id>{BRIDGE}</id></entry></feed>"""

CDF = f"""<?xml version="1.0"?><CHANNEL HREF="https://daily.example/"><TITLE>Daily</TITLE>
<ITEM HREF="{HARBOUR}" LASTMOD="2026.02.28T11:00"><TITLE>Harbour</TITLE></ITEM>
<ITEM HREF="{BRIDGE}"><TITLE>Bridge</TITLE></ITEM></CHANNEL>"""

JSON_10 = f"""{{"version": "https://jsonfeed.org/version/1", "title": "Daily", "items": [
{{"id": "1", "url": "{HARBOUR}", "title": "Harbour", "date_published": "2026-02-28T10:00:00+01:00"}},
{{"id": "{BRIDGE}", "title": "Bridge"}}]}}"""

JSON_11 = f"""{{"version": "https://jsonfeed.org/version/1.1", "title": "Daily", "language": "en", "items": [
{{"id": "1", "url": "{HARBOUR}", "external_url": "https://other.example/x", "title": "Harbour", "authors": [{{"name": "A"}}]}},
{{"id": "2", "external_url": "{BRIDGE}", "title": "Bridge"}}]}}"""

FAMILIES = {
    "rss-0.90": RSS_090,
    "rss-0.91": RSS_091,
    "rss-0.92": RSS_092,
    "rss-1.0": RSS_10,
    "rss-2.0": RSS_20,
    "atom-0.3": ATOM_03,
    "atom-1.0": ATOM_10,
    "cdf": CDF,
    "json-1.0": JSON_10,
    "json-1.1": JSON_11,
}


def parse(body, content_type=None, url=URL):
    body = body.encode() if isinstance(body, str) else body
    return parse_feed(body, content_type=content_type, feed_url=url, now=NOW)


def links(body, **more):
    return [entry.url for entry in parse(body, **more).entries]


def rss(items, head=""):
    return f'{head}<rss version="2.0"><channel><title>Daily</title>{items}</channel></rss>'


def item(link, more=""):
    return f"<item><title>Story</title><link>{link}</link>{more}</item>"


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_gives_titles_and_links_in_feed_order(family):
    content = parse(FAMILIES[family])

    assert [(entry.title, entry.url) for entry in content.entries] == [("Harbour", HARBOUR), ("Bridge", BRIDGE)]
    assert content.title == "Daily"


@pytest.mark.parametrize(
    ("family", "published", "modified"),
    [
        ("rss-1.0", datetime(2026, 2, 28, 9, tzinfo=UTC), None),
        ("rss-2.0", datetime(2026, 2, 28, 9, tzinfo=UTC), None),
        ("atom-0.3", datetime(2026, 2, 28, 9, tzinfo=UTC), datetime(2026, 2, 28, 11, tzinfo=UTC)),
        ("atom-1.0", datetime(2026, 2, 28, 9, tzinfo=UTC), datetime(2026, 2, 28, 11, tzinfo=UTC)),
        ("cdf", None, datetime(2026, 2, 28, 11, tzinfo=UTC)),
        ("json-1.0", datetime(2026, 2, 28, 9, tzinfo=UTC), None),
    ],
)
def test_each_familys_dates_are_converted_to_utc(family, published, modified):
    entry = parse(FAMILIES[family]).entries[0]

    assert (entry.published_at, entry.modified_at) == (published, modified)


@pytest.mark.parametrize(
    ("family", "ttl_s"), [("rss-2.0", 1800), ("rss-1.0", 1800), ("rss-0.91", None), ("json-1.1", None)]
)
def test_a_feeds_ttl_is_in_seconds(family, ttl_s):
    assert parse(FAMILIES[family]).ttl_s == ttl_s


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("utf-8", "Überfall in Łódź"),
        ("iso-8859-1", "Überfall im Café"),
        ("iso-8859-2", "Łódź"),
        ("windows-1251", "Пожар в порту"),
        ("koi8-r", "Пожар в порту"),
        ("windows-1252", "“Quoted” – dash"),
        ("shift_jis", "港で火事"),
        ("euc-jp", "港で火事"),
        ("gb2312", "港口火灾"),
        ("big5", "港口火災"),
        ("euc-kr", "항구 화재"),
        ("utf-16", "Überfall"),
        ("utf-16-le", "Überfall"),
        ("utf-8-sig", "Überfall"),
    ],
)
def test_the_declared_encoding_is_used(encoding, title):
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    feed = rss(f"<item><title>{title}</title><link>{HARBOUR}</link></item>", head)

    assert parse(feed.encode(encoding)).entries[0].title == title


def test_the_xml_declaration_takes_precedence_over_the_header():
    feed = rss(f"<item><title>Łódź</title><link>{HARBOUR}</link></item>", '<?xml version="1.0" encoding="utf-8"?>')

    entries = parse(feed, content_type="text/xml; charset=iso-8859-1").entries

    assert entries[0].title == "Łódź"


def test_a_declaration_that_contradicts_the_bytes_is_ignored():
    feed = rss(
        f"<item><title>Łódź wieś źdźbło</title><link>{HARBOUR}</link></item>",
        '<?xml version="1.0" encoding="us-ascii"?>',
    )

    assert parse(feed.encode("utf-8")).entries[0].title == "Łódź wieś źdźbło"


MALFORMED = {
    "no end tags": f"<rss><channel><item><title>Story</title><link>{HARBOUR}</link><item><title>B</title><link>{BRIDGE}</link>",
    "cut in the middle": rss(item(HARBOUR) + item(BRIDGE) + "<item><title>Half")[:-20],
    "bare ampersand": rss(item(HARBOUR, "<description>A & B</description>") + item(BRIDGE)),
    "bare less-than": rss(item(HARBOUR, "<description>1 < 2</description>") + item(BRIDGE)),
    "unknown entity": rss(item(HARBOUR, "<description>&nonsense;&nbsp;</description>") + item(BRIDGE)),
    "undeclared prefix": rss(item(HARBOUR, "<media:thing>x</media:thing>") + item(BRIDGE)),
    "control characters": rss(item(HARBOUR, "<description>\x00\x0b\x1f</description>") + item(BRIDGE)),
    "wrong nesting": rss(item(HARBOUR, "<b><i>x</b></i>") + item(BRIDGE)),
    "end tag too many": rss(item(HARBOUR) + "</item></channel>" + item(BRIDGE)),
    "unquoted attribute": rss(item(HARBOUR, "<guid isPermaLink=false>1</guid>") + item(BRIDGE)),
    "junk before": "\n\n  <!-- made by hand -->junk" + rss(item(HARBOUR) + item(BRIDGE)),
    "junk after": rss(item(HARBOUR) + item(BRIDGE)) + "<script>var a = 1 < 2 && 3;</script>",
    "text before the declaration": "\n" + rss(item(HARBOUR) + item(BRIDGE), '<?xml version="1.0"?>'),
    "duplicate attribute": rss(item(HARBOUR, '<guid a="1" a="2">1</guid>') + item(BRIDGE)),
    "upper case": rss(item(HARBOUR) + item(BRIDGE))
    .upper()
    .replace(HARBOUR.upper(), HARBOUR)
    .replace(BRIDGE.upper(), BRIDGE),
    "no channel": f"<rss>{item(HARBOUR)}{item(BRIDGE)}</rss>",
    "unclosed cdata": rss(item(HARBOUR) + item(BRIDGE) + "<item><title><![CDATA[never"),
    "html in a title": rss(item(HARBOUR).replace("Story", "<b>Story<br></b>") + item(BRIDGE)),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_feed_is_read_as_far_as_possible(fault):
    assert links(MALFORMED[fault])[:2] == [HARBOUR, BRIDGE]


def test_a_malformed_feed_is_flagged():
    assert any(warning.startswith("not well-formed, line ") for warning in parse(MALFORMED["wrong nesting"]).warnings)


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/2026/harbour", HARBOUR),
        ("2026/harbour", HARBOUR),
        ("//daily.example/2026/harbour", HARBOUR),
        ("https://daily.example/a?x=1&amp;y=2", "https://daily.example/a?x=1&y=2"),
        ("https://daily.example/a?x=1&y=2", "https://daily.example/a?x=1&y=2"),
        ("https://daily.example/a?x=1&amp;amp;y=2", "https://daily.example/a?x=1&y=2"),
        ("<![CDATA[https://daily.example/a?x=1&y=2]]>", "https://daily.example/a?x=1&y=2"),
        ("\n  https://daily.example/2026/harbour\n", HARBOUR),
        ("https://daily.example/größe", "https://daily.example/gr%C3%B6%C3%9Fe"),
    ],
)
def test_links_are_made_absolute(link, url):
    assert links(rss(item(link))) == [url]


def test_xml_base_applies_from_the_root_down():
    feed = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://daily.example/2026/"><entry xml:base="march/">
    <title>A</title><link href="harbour"/></entry><entry><title>B</title><link href="bridge"/></entry></feed>"""

    assert links(feed) == ["https://daily.example/2026/march/harbour", BRIDGE]


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "mailto:a@daily.example",
        "file:///etc/passwd",
        "",
        "http://",
        "https://u:p@daily.example/",
    ],
)
def test_an_entry_without_a_fetchable_link_is_counted_and_left_out(link):
    content = parse(rss(item(link) + item(HARBOUR)))

    assert [entry.url for entry in content.entries] == [HARBOUR]
    assert "entry without a fetchable link" in content.warnings


def test_a_good_link_is_used_beside_a_broken_one():
    assert links(rss(item("javascript:void(0)", f"<guid>{HARBOUR}</guid>"))) == [HARBOUR]


def test_a_feed_with_a_broken_head_keeps_its_items():
    assert links("<rs" + item(HARBOUR) + item(BRIDGE)) == [HARBOUR, BRIDGE]


def test_the_publishers_url_is_preferred_to_feedburners():
    feed = rss(item("https://feeds.example/~r/1", f"<feedburner:origLink>{HARBOUR}</feedburner:origLink>"))

    assert links(feed) == [HARBOUR]


def test_titles_and_links_of_media_elements_are_not_the_items():
    more = '<media:title>Picture</media:title><media:content url="https://x.example/1.jpg"><media:title>x</media:title></media:content><itunes:title>Pod</itunes:title>'
    feed = f'<rss xmlns:media="http://search.yahoo.com/mrss/"><channel><item>{more}<title>Story</title><link>{HARBOUR}</link></item></channel></rss>'

    assert [(entry.title, entry.url) for entry in parse(feed).entries] == [("Story", HARBOUR)]


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("A &amp; B", "A & B"),
        ("A &amp;amp; B", "A & B"),
        ("<![CDATA[A &amp; <b>B</b>]]>", "A & B"),
        ("&lt;i&gt;A&lt;/i&gt; B", "A B"),
        ("A &eacute;t&eacute;", "A été"),
        ("  A\n\t B ", "A B"),
        ("1 &lt; 2", "1 < 2"),
    ],
)
def test_titles_are_plain_text(title, plain):
    assert parse(rss(f"<item><title>{title}</title><link>{HARBOUR}</link></item>")).entries[0].title == plain


@pytest.mark.parametrize(
    "date", ["Thu, 01 Jan 1970 00:00:00 GMT", "Tue, 03 Mar 2026 13:00:00 GMT", "0001-01-01T00:00:00Z"]
)
def test_an_implausible_date_is_flagged(date):
    content = parse(rss(item(HARBOUR, f"<pubDate>{date}</pubDate>")))

    assert content.entries[0].published_at is None
    assert content.warnings == ("date implausible",)


def test_a_date_shared_by_all_entries_is_flagged():
    date = "<pubDate>Sat, 28 Feb 2026 10:00:07 GMT</pubDate>"
    content = parse(rss("".join(item(f"{HARBOUR}-{number}", date) for number in range(5))))

    assert {entry.published_at for entry in content.entries} == {None}
    assert content.warnings == ("date equal on all entries",)


def test_a_date_in_an_unknown_format_is_flagged():
    content = parse(rss(item(HARBOUR, "<pubDate>last Tuesday</pubDate>")))

    assert (content.entries[0].published_at, content.warnings) == (None, ("date unreadable",))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"\x00" * 1000,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"<!DOCTYPE html><html><head><title>Daily</title></head><body><rss></rss></body></html>",
        b"<html><body><p>Please log in</p></body></html>",
        b'{"message": "not found"}',
        b"[1, 2]",
        b'{"items": ',
        b"<opml></opml>",
        b"plain words",
    ],
)
def test_a_document_that_is_not_a_feed_is_refused(body):
    with pytest.raises(NotAFeed, match=r"https://daily\.example/feed\.xml"):
        parse(body)


def test_a_feed_without_entries_is_valid():
    assert parse(rss("")).entries == ()


def test_no_entity_is_expanded_and_no_file_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    head = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY y "inner">]>'

    content = parse(rss(f"<item><title>A &x; &y; B</title><link>{HARBOUR}</link></item>", head))

    assert "secret" not in content.entries[0].title
    assert "inner" not in content.entries[0].title


def test_a_billion_laughs_attack_costs_nothing():
    lines = ['<!ENTITY l0 "lol">', *(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))]
    feed = rss(f"<item><title>&l11;</title><link>{HARBOUR}</link></item>", f"<!DOCTYPE rss [{''.join(lines)}]>")
    began = time.process_time()

    content = parse(feed)

    assert len(content.entries) == 1
    assert time.process_time() - began < 1


HOSTILE = {
    "nesting": "<rss><channel>" + "<item>" * 20_000 + f"<link>{HARBOUR}</link>",
    "nesting of a field": rss(f"<item><title>{'<b>' * 20_000}</title><link>{HARBOUR}</link></item>"),
    "one line of 10 MB": rss(f"<item><title>{'x' * 10_000_000}</title><link>{HARBOUR}</link></item>"),
    "brackets": "<rss>" + "<" * 1_000_000,
    "ampersands": "<rss>" + "&" * 1_000_000,
    "entities": rss(f"<item><title>{'&amp;' * 500_000}</title><link>{HARBOUR}</link></item>"),
    "cdata openings": "<rss>" + "<![CDATA[" * 200_000,
    "cdata sections": "<rss>" + "<![CDATA[x]]>" * 200_000,
    "comments": "<rss>" + "<!--" * 300_000,
    "attributes": "<rss " + " ".join(f'a{n}="1"' for n in range(50_000)) + ">" + item(HARBOUR),
    "white space": " " * 5_000_000 + rss(item(HARBOUR)),
    "titles of tags": rss(
        "".join(f"<item><title>{'&lt;a ' * 2000}</title><link>/{n}</link></item>" for n in range(50))
    ),
    "json nesting": '{"items": ' + "[" * 100_000,
    "json numbers": '{"items": [' + ",".join("1" for _ in range(200_000)) + "]}",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_feed_takes_at_most_seconds(kind):
    began = time.process_time()

    with suppress(NotAFeed):
        parse(HOSTILE[kind])

    assert time.process_time() - began < 5


def test_the_first_of_50_000_items_are_kept_in_bounded_time_and_memory():
    feed = rss("".join(item(f"https://daily.example/{number}") for number in range(50_000))).encode()
    began = time.process_time()

    content = parse(feed)

    assert len(content.entries) == MAX_ENTRIES
    assert content.warnings == (f"more than {MAX_ENTRIES:,} entries",)
    assert time.process_time() - began < 5


def test_items_with_the_same_guid_are_all_kept():
    guid = "<guid isPermaLink='true'>https://daily.example/</guid>"
    feed = rss(item(HARBOUR, guid) + item(BRIDGE, guid))

    assert links(feed) == [HARBOUR, BRIDGE]


def test_memory_stays_within_a_small_multiple_of_the_feed():
    feed = rss(
        "".join(
            item(f"https://daily.example/{number}", "<description>" + "x" * 500 + "</description>")
            for number in range(5000)
        )
    )
    body = feed.encode()
    tracemalloc.start()

    parse(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 12 * len(body)


def _by_feedparser(body):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=True)
    return [entry.get("link") for entry in parsed.entries]


@pytest.mark.parametrize(
    "feed", [*(FAMILIES[name] for name in FAMILIES if not name.startswith("json")), *MALFORMED.values()]
)
def test_entries_with_links_are_found_whenever_feedparser_finds_some(feed):
    body = feed.encode()
    found = [link for link in _by_feedparser(body) if link and link.startswith("http")]

    assert set(found) <= set(links(body))


RSL = 'xmlns:rsl="https://rslstandard.org/rsl"'
LICENCE = '<rsl:content url=""><rsl:license><rsl:permits type="usage">search</rsl:permits></rsl:license></rsl:content>'


def test_an_entry_has_its_items_licence():
    feed = rss(item(HARBOUR, LICENCE) + item(BRIDGE)).replace("<rss ", f"<rss {RSL} ")

    harbour, bridge = parse(feed).entries

    assert (harbour.title, harbour.url, bridge.rights) == ("Story", HARBOUR, None)
    assert parse_rsl(harbour.rights.encode(), HARBOUR).for_url(HARBOUR)


@pytest.mark.parametrize(
    ("head", "link"),
    [
        (RSL, "https://other.example/1"),
        (RSL, "http://daily.example/1"),
        ('xmlns:rsl="https://other.example/rsl"', HARBOUR),
    ],
)
def test_a_feeds_licence_applies_only_to_its_origin_and_in_its_namespace(head, link):
    [entry] = parse(rss(item(link, LICENCE)).replace("<rss ", f"<rss {head} ")).entries

    assert (entry.url, entry.rights) == (link, None)


def test_a_too_long_licence_is_ignored():
    long = LICENCE.replace("search", "search " * 2000)

    [entry] = parse(rss(item(HARBOUR, long)).replace("<rss ", f"<rss {RSL} ")).entries

    assert len(entry.rights) == MAX_LICENCE_LENGTH
    assert parse_rsl(entry.rights.encode(), HARBOUR).fault
