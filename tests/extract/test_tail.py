import pytest

from tests.extract.reading import PARAGRAPHS, page, read_page

HEAD = '<meta name="author" content="Mara Quill"><meta name="keywords" content="ferries, harbour, repairs, winter">'


def lines(ending: str, *, head: str = HEAD) -> list[str]:
    html = page(head=head)
    last = f"<p>{PARAGRAPHS[4]}</p>"
    return read_page(html.replace(last, last + ending)).lines


@pytest.mark.parametrize(
    "ending",
    [
        "<p>© 2024 Port Courier Press. Ask the office before you print this.</p><p>It answers within a week.</p>",
        "<p>Copyright 2024 Port Courier</p>",
        "<p>版权所有 © 2026 港口日报，未经许可不得转载。</p>",
        "<p>ⓒ 항구일보, 무단 전재 및 재배포 금지</p>",
        "<p>Permalink: https://www.portcourier.example/local/harbour-reopens</p>",
        "<p><span>Ferries</span> <span>harbour</span> <span>repairs</span></p>",
        "<p>Labels</p><p>ferries, harbour, repairs, coast</p>",
        "<p>https://www.portcourier.example/local/harbour-reopens</p>",
        "<div class='who'><p>Mara Quill has written about harbours for fourteen years and lives on the quay.</p></div>",
        "<p><strong>Mara Quill</strong> has written about harbours for fourteen years and lives on the quay.</p>",
        "<div class='end'><p>We are paid by readers alone, and mean to keep it so.</p><p><a href='/give'>Give now</a></p></div>",
        (
            "<ul><li>The Courier fits into a pocket: <a href='/app'>fetch the programme</a> today.</li>"
            "<li>Every evening <a href='/letter'>our letter</a> sums up the day in a cup of tea.</li></ul>"
        ),
        (
            "<h4>Sources of this report</h4><ol><li>Port Board: Report. https://board.example/reports/2025</li>"
            "<li>Town council: Minutes. https://town.example/minutes/88</li></ol>"
        ),
    ],
)
def test_page_furniture_at_the_end_is_removed(ending):
    assert lines(ending) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    ("ending", "stays"),
    [
        ("<p>Mara Quill, who keeps the shop, has ordered milk for three weeks.</p>", "Mara Quill, who keeps the shop"),
        (
            "<p>The board published <a href='https://board.example/'>its report</a> on the cracks on Monday.</p>",
            "The board published",
        ),
        ("<ul><li>Nine pillars were looked at by divers</li><li>Two of them are cracked</li></ul>", "Nine pillars"),
        ("<p>Ferries, buses, trains and boats all sail again from Monday on.</p>", "Ferries, buses"),
        ("<p>Ferries and boats of the harbour</p>", "Ferries and boats"),
        ("<p>Board: https://board.example/local/harbour-reopens</p>", "Board: https"),
        (
            "<h3 id='legal'>What the law says of quays</h3><p>Nobody may close one for long, says the law of 1921.</p>",
            "What the law",
        ),
        ("<p>埠頭は月曜日に再開され、渡し船は朝から通常どおり運航される。</p>", "埠頭は月曜日"),
        (
            "<ol><li>Buy milk at https://shop.example/milk</li><li>Take the bus to the quay</li><li>Walk</li></ol>",
            "Take the bus",
        ),
    ],
)
def test_the_storys_last_lines_stay(ending, stays):
    assert any(stays in line for line in lines(ending))


@pytest.mark.parametrize(
    "ending",
    [
        "<p>Follow us on <a href='https://x.com/harbours'>X</a> and <a href='https://bsky.app/profile/harbours'>Bluesky</a>.</p>",
        "<p>Folgen Sie uns auf <a href='https://www.facebook.com/portcourier'>Facebook</a>.</p>",
        "<p>本紙の<a href='https://www.youtube.com/@PortCourier'>動画</a>もご覧ください。</p>",
        "<p>ติดตามเราได้ที่ <a href='https://t.me/port_courier'>Telegram</a></p>",
        "<p>Our reporter is at <a href='https://x.com/mara_quill'>@mara_quill</a>.</p><p>All words are hers.</p>",
        "<p>제보는 <a href='mailto:news@portcourier.example'>news@portcourier.example</a></p>",
        "<p>Segui il Courier su <a href='https://news.google.com/publications/CAAqBwgKMI'>Google News</a>.</p>",
        "<p>نعيش من قرائنا وحدهم. <a href='/donate'>تبرع</a></p>",
        "<p>Wir leben von unseren Lesern. <a href='/abo'>Abo</a> oder <a href='https://paypal.me/courier'>Spende</a></p>",
        "<p>本报只靠读者支持。<a href='/subscribe'>订阅</a></p>",
        "<p><em>The Courier's Mara Quill has written about harbours for fourteen years.</em></p>",
        "<h3>Read on about the harbour</h3>",
        "<p>Mehr über den Hafen:</p>",
        "<p>港に関する他の記事：</p>",
        "<p>More of it:</p><p>© 2024 Port Courier</p>",
    ],
)
def test_contact_lines_and_empty_announcements_are_removed(ending):
    assert lines(ending) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    ("ending", "stays"),
    [
        ("<p>So said the <a href='https://x.com/harbourmaster'>harbour master</a> on Monday.</p>", "So said the"),
        ("<p>So <a href='https://x.com/portcourier/status/17625384'>it was written</a> in June.</p>", "So it was"),
        ("<p>Letters go to <a href='mailto:board@board.example'>the board</a>, it says.</p>", "Letters go to"),
        (
            "<p>Who will <a href='/join'>join</a> the six towns of the coast is in <a href='/news/2025/all-towns'>a list</a>.</p>",
            "Who will join",
        ),
        (
            "<p>The town has a <a href='/subscribe-or-pay-more-says-the-council'>new rule</a> for berths.</p>",
            "The town has",
        ),
        ("<p><em>The ferry, said the captain of the Skarv, is older than he is himself.</em></p>", "The ferry, said"),
        ("<p>渡し船は<a href='https://x.com/kanchou'>館長</a>の話では古い。</p>", "渡し船は"),
        ("<h3>Skarv</h3><h3>Holm</h3>", "Skarv"),  # a list of headings
        ("<ul><li>Skarv and Holm have their ferry again</li><li>Those who wait for it:</li></ul>", "Those who wait"),
    ],
)
def test_lines_that_only_look_like_furniture_stay(ending, stays):
    assert any(stays in line for line in lines(ending))


LEADS = "<p>Read how <a href='/2019/nine-harbours-older-than-the-town'>nine harbours</a> grew.</p>"


def test_a_last_box_of_links_is_removed():
    assert lines(f"<div class='t'>{LEADS}</div>") == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "ending",
    [
        f"<div class='t'><p>{PARAGRAPHS[1][:-1]}, it says.</p></div><div class='t'>{LEADS}</div>",  # of the story's make
        LEADS,  # loose
    ],
)
def test_boxes_that_may_be_the_storys_end_stay(ending):
    assert any(line.startswith("Read how nine harbours") for line in lines(ending))


@pytest.mark.parametrize(
    "name", ["RelatedContent-box", "article-factbox", "c-references", "contentAdvertiserDisclosure", "whatsAppBox"]
)
def test_boxes_with_camel_case_facts_or_sources_names_are_removed(name):
    box = f"<section class='{name}'><p>Nine harbours are older than the town, and the oldest of them is Skarv.</p></section>"

    assert lines(box) == list(PARAGRAPHS)


@pytest.mark.parametrize("name", ["most-popular-harbours", "how-to-sign-up", "trending-now"])
def test_parts_with_an_id_made_of_words_stay(name):
    part = (
        f"<section id='{name}'><p>Nine harbours are older than the town, and the oldest of them is Skarv.</p></section>"
    )

    assert len(lines(part)) == len(PARAGRAPHS) + 1


BIOGRAPHIES = {
    "山田花子": "山田花子　二〇一一年から港湾を取材している。スカルブ在住。",
    "김민수": "김민수 기자는 2011년부터 항만을 취재해 왔으며 섬에 살고 있다.",
}


@pytest.mark.parametrize("name", BIOGRAPHIES)
@pytest.mark.parametrize("box", ["<div class='who'><p>{}</p></div>", "<p><em>{}</em></p>"])
def test_a_biography_in_a_script_without_spaces_is_removed(name, box):
    head = f'<meta name="author" content="{name}">'

    assert lines(box.format(BIOGRAPHIES[name]), head=head) == list(PARAGRAPHS)


def test_a_last_paragraph_that_only_begins_with_the_authors_name_stays():
    assert (
        "山田花子"
        in lines("<p>山田花子　が港で見たものは以上である。</p>", head='<meta name="author" content="山田花子">')[-1]
    )


def test_sources_of_a_short_story_in_a_dense_script_are_removed():
    story = [f"{at}番目の柱にひびが見つかり、港湾局は修理のために埠頭を三週間閉鎖したと発表した。" for at in range(6)]
    sources = "".join(f"<li>Port Board {at}. https://board.example/r/{at}</li>" for at in range(3))
    html = page(language="ja").split("<p>")[0] + "".join(f"<p>{one}</p>" for one in story)

    assert read_page(f"{html}<h3>出典</h3><ul>{sources}</ul></div></main></body></html>").lines == story


def test_latin_sources_of_a_brief_in_a_dense_script_are_removed():
    story = [f"{at}番目の柱にひびが見つかり、港湾局は修理のために埠頭を三週間閉鎖したと発表した。" for at in range(4)]
    sources = "".join(f"<li>Minutes of the board, {at}. https://board.example/r/{at}</li>" for at in range(3))
    html = page(language="ja").split("<p>")[0] + "".join(f"<p>{one}</p>" for one in story)

    assert read_page(f"{html}<ul>{sources}</ul></div></main></body></html>").lines == story


BRIEFS = {
    "ko": "잠수부들은 2월에 {}번째 기둥에서 균열을 발견했고, 기술자들은 한 시간 안에 부두를 폐쇄했다.",
    "ja": "二月に潜水士が{}本目の柱にひびを見つけ、技術者は一時間以内に埠頭を閉鎖していた。",
}


@pytest.mark.parametrize("language", BRIEFS)
def test_long_dialogs_in_another_script_beside_a_brief_are_removed(language):
    story = [BRIEFS[language].format(at) for at in range(3)]
    panes = "".join(f"<div class='pane'><h3>Step {at}</h3><p>{year}</p></div>" for at, year in enumerate(YEARS[:6]))
    html = page(language=language, after=f"<div id='flow'>{panes}</div>").replace('class="story"', 'class="tale"')
    for at, one in enumerate(PARAGRAPHS):
        html = html.replace(f"<p>{one}</p>", f"<p>{story[at]}</p>" if at < len(story) else "")

    assert read_page(html.replace("Harbour reopens", "港 다시 열려")).lines == story


def test_any_number_of_headlines_beside_a_story_is_removed():
    links = "".join(f"<p><a href='/n{at}'>{MAKER} {at}</a></p>" for at in range(3))

    assert around(f"<div class='nine'>{links}</div>") == list(PARAGRAPHS)


def test_a_body_repeated_on_the_page_is_read_once():
    twice = page().replace('<div class="story">', '<div class="phone">')
    body = "".join(f"<p>{one}</p>" for one in PARAGRAPHS)

    assert read_page(twice.replace("</main>", f"<div class='desk'>{body}</div></main>")).lines == list(PARAGRAPHS)


def test_a_repeated_refrain_stays():
    verse = "<p>Row, row the ferry home.</p>"

    assert lines(verse + "<p>The tide is out, the tide is in again.</p>" + verse).count("Row, row the ferry home.") == 2


MAKER = "The harbour office builds quays for towns of any size, and has done so since the age of sail."


def behind(box: str) -> list[str]:
    return read_page(page(after=box).replace('class="story"', 'class="x tale"')).lines  # no name that extractors know


@pytest.mark.parametrize(
    "box",
    [
        f"<div class='maker'><h4>Who we are</h4><p>{MAKER}</p></div>",
        f"<section><div><p>{MAKER}</p></div></section>",
        f"<div class='meta'><p>{MAKER}</p></div><div class='last'><p>{MAKER[:60]}</p></div>",
    ],
)
def test_different_boxes_after_a_complete_story_are_removed(box):
    assert behind(box) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "box",
    [
        f"<p>{MAKER}</p>",  # loose beside the story's element
        f"<div class='x last'><p>{MAKER}</p></div>",  # of the same make
        f"<div class='rest'><p>{MAKER}</p><p>{' '.join([MAKER] * 9)}</p></div>",  # no little part
    ],
)
def test_boxes_that_may_be_the_rest_of_the_story_stay(box):
    assert behind(box)[len(PARAGRAPHS)] == MAKER


YEARS = [
    f"In the year {1900 + n} the harbour was closed to ferries for {n + 2} weeks, the archive says." for n in range(12)
]
OTHERS = "".join(f"<p>{MAKER.replace('quays', kind)}</p>" for kind in ("boats", "sheds"))


def beside(box: str, *, before: bool) -> list[str]:
    """Return the lines of a story in one element with its heading, and a box before or after it."""
    html = page(before=box) if before else page(after=box)
    return read_page(html.replace('class="story"', 'class="tale"')).lines


def test_dialogs_longer_than_a_short_story_are_removed():
    panes = "".join(f"<div class='pane'><h3>Step {at}</h3><p>{year}</p></div>" for at, year in enumerate(YEARS[:6]))

    assert beside(f"<div id='account-flow'>{panes}</div>", before=False) == list(PARAGRAPHS)


@pytest.mark.parametrize("before", [True, False])
def test_boxes_outside_the_element_of_text_and_heading_are_removed(before):
    box = f"<div class='maker'><h2>What we do</h2>{OTHERS}</div>"

    assert beside(box, before=before) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "box",
    [
        f"<div class='tale'>{OTHERS}</div>",  # the next part
        OTHERS,  # loose
        f"<div class='maker'>{OTHERS}{''.join(f'<p>{year}</p>' for year in YEARS)}</div>",  # most of it
        f"<div class='maker'>{OTHERS}<p>{' '.join(PARAGRAPHS[1:3])} {YEARS[0]}</p></div>",  # half of it
    ],
)
def test_similar_loose_or_long_content_stays(box):
    assert any(line.startswith("The harbour office builds boats") for line in beside(box, before=False))


def test_boxes_after_a_story_in_several_elements_stay():
    parts = "".join(
        f"<section class='s{at}'><h3>Part {at}</h3><p>{one}</p></section>" for at, one in enumerate(PARAGRAPHS)
    )
    html = page().split("<h1>")[0] + f"<h1>Harbour reopens</h1></div>{parts}</main></body></html>"

    assert PARAGRAPHS[4] in read_page(html).lines


BESIDE = "Nine harbours that are older than the town"


def around(inside: str) -> list[str]:
    """Return the lines of a story in an element with an unknown name, with `inside` before its last paragraphs."""
    parts = "".join(f"<p>{one}</p>" for one in PARAGRAPHS[:4])
    last = f"<div class='y'><p>{PARAGRAPHS[4]}</p></div>"
    html = page().split("<div class=")[0]
    return read_page(
        f"{html}<h1>Harbour reopens</h1><div class='x'>{parts}</div>{inside}{last}</main></body></html>"
    ).lines


@pytest.mark.parametrize(
    "inside",
    [
        f"<div class='nine'><h3><a href='/nine'>{BESIDE}</a></h3></div>",
        f"<div class='press_newsletter'><p>{BESIDE}: we write of one every week, and you may have it by mail.</p></div>",
        f"<section class='author-box'><p>{BESIDE} are what our reporter has written of since the age of sail.</p></section>",
        f"<div id='pop-up'><p>{BESIDE} are in our book, which you may buy at the office at any hour.</p></div>",
        f"<div class='saboxplugin-wrap'><p>{BESIDE} are what our reporter has written of since the age of sail.</p></div>",
        f"<p class='copyright-txt'>{BESIDE} are shown by leave of the board, which made the pictures in the spring.</p>",
    ],
)
def test_named_and_link_boxes_beside_a_story_are_removed(inside):
    assert around(inside) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "inside",
    [
        f"<div class='nine'><p>{BESIDE} were closed as well, the port authority said on Tuesday evening.</p></div>",
        f"<div class='nine'><p>{BESIDE} are named in <a href='/list'>a list</a> that the board printed on Tuesday.</p></div>",
        f"<div class='biology'><p>{BESIDE} are home to seals, as the marine station found in the spring.</p></div>",
    ],
)
def test_boxes_that_belong_to_a_story_stay(inside):
    assert any(line.startswith(BESIDE) for line in around(inside))


def parted(behind: str) -> list[str]:
    """Return the lines of a story with an element per paragraph, in an element followed by a box."""
    parts = "".join(f"<div class='p{at}'><p>{one}</p></div>" for at, one in enumerate(YEARS))
    html = page().split("<div class=")[0]
    return read_page(f"{html}<h1>Harbour reopens</h1><div class='all'>{parts}</div>{behind}</main></body></html>").lines


def test_a_box_after_the_element_of_all_parts_is_removed():
    assert MAKER not in parted(f"<div class='maker'><h4>Who we are</h4><p>{MAKER}</p></div>")


@pytest.mark.parametrize(
    "box",
    [
        f"<div class='all'><p>{MAKER}</p></div>",
        f"<p>{MAKER}</p>",
        f"<div class='b'><p>{MAKER}</p><p>{MAKER.upper()}</p><p>{' '.join(PARAGRAPHS)}</p></div>",
    ],
)
def test_more_parts_after_that_element_stay(box):
    assert MAKER in parted(box)
