import json

import pytest

from tests.extract.reading import page, read_page


def authors(*, jsonld=None, meta: str | None = None, byline: str = "") -> list[str]:
    head = f'<meta name="author" content="{meta}">' if meta else ""
    if jsonld is not None:
        node = {"@type": "NewsArticle", "headline": "Harbour reopens", "author": jsonld}
        head += f'<script type="application/ld+json">{json.dumps(node)}</script>'
    return list(read_page(page(head=head).replace("</h1>", f"</h1>{byline}")).metadata.authors)


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("Mara Quill", ["Mara Quill"]),
        ({"@type": "Person", "name": "Mara Quill"}, ["Mara Quill"]),
        ([{"name": "Mara Quill"}, {"name": "Tom Hale"}], ["Mara Quill", "Tom Hale"]),
        ([{"name": "Mara Quill"}, {"name": "MARA QUILL"}], ["Mara Quill"]),
        ({"name": ["Mara Quill", "Tom Hale"]}, ["Mara Quill", "Tom Hale"]),
        ("By Mara Quill", ["Mara Quill"]),
        ("Mara Quill and Tom Hale", ["Mara Quill", "Tom Hale"]),
        ("Mara Quill, Tom Hale & Ines Vogt", ["Mara Quill", "Tom Hale", "Ines Vogt"]),
        ("Mara Quill; Tom Hale", ["Mara Quill", "Tom Hale"]),
        ("Ortega y Gasset", ["Ortega y Gasset"]),
        ("Parker, Tracy", ["Parker, Tracy"]),
        ("Von Jana Brandl", ["Jana Brandl"]),
        ("Por Lucía Ferrán", ["Lucía Ferrán"]),
        ({"name": "https://www.portcourier.example/authors/mq"}, []),
        ({"name": "admin"}, []),
        ({"name": "@maraquill"}, []),
        (["", None, 3], []),
        ({"@type": "Person", "givenName": "Mara", "familyName": "Quill"}, ["Mara Quill"]),
        ([{"@type": "Organization", "name": "North Wire"}, {"name": "Mara Quill"}], ["North Wire", "Mara Quill"]),
        ([{"@type": "Organization", "name": "Port Courier"}, {"name": "Mara Quill"}], ["Mara Quill"]),
    ],
)
def test_jsonld_names_the_authors(said, names):
    assert authors(jsonld=said) == names


@pytest.mark.parametrize("name", ["Ursula von der Leyen", "Di Canio", "Bybee Smith"])
def test_a_name_that_begins_like_a_prefix_is_kept(name):
    assert authors(jsonld=name) == [name]


def test_meta_is_used_if_jsonld_names_nobody():
    assert authors(meta="Mara Quill") == ["Mara Quill"]


def test_a_person_in_meta_is_preferred_to_the_site_in_jsonld():
    assert authors(jsonld={"@type": "Organization", "name": "Port Courier"}, meta="Mara Quill") == ["Mara Quill"]


@pytest.mark.parametrize("name", ["North Wire", "Port Courier Online"])
def test_a_visible_person_is_preferred_to_an_organisation_in_jsonld(name):
    said = {"@type": "Organization", "name": name}

    assert authors(jsonld=said, byline='<div class="byline">Mara Quill</div>') == ["Mara Quill"]


def test_the_site_is_the_author_if_nobody_else_is():
    assert authors(jsonld={"@type": "Organization", "name": "Port Courier"}) == ["Port Courier"]


@pytest.mark.parametrize(
    "byline",
    [
        '<div class="byline">By Mara Quill</div>',
        '<p>By <a rel="author" href="/people/mara">Mara Quill</a></p>',
        '<p><a href="/authors/mara-quill">Mara Quill</a></p>',
        '<span itemprop="author">Mara Quill</span>',
        '<a class="piece__author" href="/who/7">Mara Quill</a>',
        '<span class="PieceWriter-byName">Mara Quill</span>',
        '<p class="byline">by <a href="mailto:mq@courier.example">Mara Quill</a></p>',
        '<div class="authorDate_authorName__x7">Mara Quill</div>',
        '<a rel="author">Mara Quill<span class="role">Harbour Editor</span></a>',
        "<p>By Mara Quill</p>",
        '<div class="author">Mara Quill</div><div class="checked">Reviewed by <a class="author" href="/a/2">Tom Hale</a></div>',
        '<article><footer><div class="author"><a rel="author">Mara Quill</a></div></footer></article>',
    ],
)
def test_the_byline_is_used_if_nothing_else_names_an_author(byline):
    assert authors(byline=byline) == ["Mara Quill"]


def test_all_authors_of_a_byline_are_found():
    links = (
        '<div class="by"><span><a rel="author">Mara Quill</a></span> <span><a rel="author">Tom Hale</a></span></div>'
    )

    assert authors(byline=links) == ["Mara Quill", "Tom Hale"]


def test_authors_of_other_stories_are_ignored():
    far = "".join(f'<div><b>x</b><a rel="author" href="/a{n}">Other Author</a></div>' for n in range(3))

    assert authors(byline=f'<div class="byline">Mara Quill</div><div><section>{far}</section></div>') == ["Mara Quill"]


@pytest.mark.parametrize(
    "byline",
    [
        "<div class='author'>more about the author here</div>",
        "<div class='byline'>Newsroom</div>",
        "<div class='byline'>Feb 11th 2025 7:30AM</div>",
        "<form><label class='author'>Name *</label></form>",
        "<div class='comments'><span class='author'>Tom Hale</span></div>",
        "<a href='/other'><h3>Another story</h3><span class='author'>Tom Hale</span></a>",
        "<p>By the time the ferry sails, nobody on the island will have milk left.</p>",
    ],
)
def test_a_text_that_cannot_be_a_name_is_no_author(byline):
    assert authors(byline=byline) == []


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("Jana Thiel<span class='role'>Redakteurin</span>", "Jana Thiel"),
        ("<span>山田花子</span><span>記者</span>", "山田花子"),
        ("<span>Mara</span> <b>Quill</b>", "Mara Quill"),
        ("<b>M</b>ara Quill", "Mara Quill"),  # a drop cap
    ],
)
def test_text_attached_to_a_name_is_not_part_of_it(link, name):
    assert authors(byline=f"<div class='byline'><a class='author' href='/a/1'>{link}</a></div>") == [name]
