import json

import pytest

from tests.extract.reading import PARAGRAPHS, read_page

TITLE = "Harbour reopens after repairs"
STORY = "".join(f"<p>{one}</p>" for one in PARAGRAPHS)
JAPANESE = (
    "旧港は三週間ぶりに月曜日の朝からフェリーに再び開放される、と港湾局は月曜日の記者会見で正式に発表した。",
    "二月に潜水士が九本の柱のうち二本にひびを見つけ、技術者は一時間以内に埠頭を閉鎖したと説明している。",
    "修理費は四百万円で、三分の二を国が負担し、残りは港の積立金から支払われることになっているという。",
    "島の商店では月の半ばから牛乳とパンが配給制となり、北の島のパン屋は早い時間に店を閉めていたという。",
)


def bare(inside: str = "", *, title: str = TITLE, shown: str = ""):
    head = f'<title>{title}</title><meta property="og:title" content="{title}">'
    return read_page(f"<html><head>{head}</head><body><main><h1>{title}</h1>{shown}</main>{inside}</body></html>")


def state(*parts: object, title: str = TITLE, before: str = "", kind: str = "application/json") -> str:
    data = {"props": {"page": {"headline": title, "url": "https://www.portcourier.example/a.", "parts": parts}}}
    return f'<script type="{kind}">{before}{json.dumps(data)}</script>'


@pytest.mark.parametrize(
    "inside",
    [
        f"<noscript>{STORY}</noscript>",
        f"<template>{STORY}</template>",
        state(STORY),
        state(*({"kind": "p", "text": one} for one in PARAGRAPHS)),
        state(*({"children": [{"text": one[:60]}, {"text": one[60:]}]} for one in PARAGRAPHS)),
        state(STORY, kind="text/javascript", before="window.__STATE__ = "),
    ],
    ids=["noscript", "template", "a body", "paragraphs", "pieces", "a script"],
)
def test_a_hidden_story_in_script_data_is_found(inside):
    found = bare(inside)

    assert found.path == "unseen"
    assert "".join(found.lines) == "".join(PARAGRAPHS)


def test_paragraphs_without_spaces_are_found():
    assert bare(state(*JAPANESE, title="旧港が再開"), title="旧港が再開").lines == list(JAPANESE)


@pytest.mark.parametrize(
    "inside",
    [
        state(STORY, title="Fire at the mill"),  # another page's
        "<noscript><p>Please switch scripts on to read what the Port Courier writes on this page.</p></noscript>",
        f'<script type="application/json">{STORY}</script>',  # no data
        state("https://www.portcourier.example/a/very/long/address/of/a/picture/that/is/no/prose.", "x" * 300),
    ],
    ids=["another title", "a notice", "no data", "addresses"],
)
def test_data_that_is_not_the_pages_story_is_ignored(inside):
    assert bare(inside).path != "unseen"


TEASERS = "".join(
    f"<div><a href='/{n}'><h4>Mill burns down {n}</h4></a><p>The mill at Selby burnt down in week {n}.</p></div>"
    for n in range(4)
)


@pytest.mark.parametrize("hidden", [f"<noscript>{STORY}</noscript>", f"<template>{STORY}</template>", state(STORY)])
@pytest.mark.parametrize("shown", [TEASERS, "<p>Loading</p>"])
def test_a_hidden_story_is_preferred_to_teasers(hidden, shown):
    found = bare(f"{hidden}<section>{shown}</section>")

    assert "".join(found.lines) == "".join(PARAGRAPHS)


def test_the_paid_rest_of_a_story_is_not_read_from_scripts():
    assert bare(state(STORY), shown=f"<p>{PARAGRAPHS[0]}</p>").lines == [PARAGRAPHS[0]]


def test_a_short_story_is_preferred_to_a_noscript_notice():
    notice = "".join(
        f"<p>{one} switch scripts on to read what the Port Courier writes.</p>" for one in ("Please", "You must", "Do")
    )

    assert bare(f"<noscript>{notice}</noscript>", shown=f"<p>{PARAGRAPHS[0]}</p>").lines == [PARAGRAPHS[0]]


def test_visible_text_is_preferred_to_hidden_text():
    shown = "".join(f"<p>{one}</p>" for one in PARAGRAPHS[:3])

    assert bare(state(STORY), shown=shown).lines == list(PARAGRAPHS[:3])


def test_declarative_shadow_content_is_visible():
    found = bare(shown=f'<story-body><template shadowrootmode="open">{STORY}</template></story-body>')

    assert (found.lines, found.path) == (list(PARAGRAPHS), "fast")


def test_the_search_in_nested_parts_is_bounded():
    part: object = {"headline": TITLE, "text": PARAGRAPHS[0]}
    for _ in range(200):
        part = {"headline": TITLE, "below": part}

    assert bare(state(part)).text == TITLE
