import json

import pytest

from tasks.values.rows import PageType
from tests.extract.reading import NAMES, PARAGRAPHS, expected, page, read_fixture, read_page

SHORT = PARAGRAPHS[0]
TEASERS = "".join(
    f"<div><h2><a href='/s{n}'>Story {n} of the day</a></h2><p>It begins so.</p></div>" for n in range(12)
)


def kind(
    title: str,
    body: str,
    *,
    head: str = "",
    url: str = "https://www.portcourier.example/local/harbour-reopens-three-weeks-late",
):
    return read_page(f"<html><head><title>{title}</title>{head}</head><body>{body}</body></html>", url=url).kind


def typed(*types: str) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": list(types), "name": "Harbour"})}</script>'


@pytest.mark.parametrize("name", NAMES)
def test_fixture_pages_have_their_page_type(name):
    assert read_fixture(name).kind == expected(name)["page_type"]


@pytest.mark.parametrize(
    ("types", "found"),
    [
        ("LiveBlogPosting", PageType.LIVE_BLOG),
        ("ImageGallery", PageType.GALLERY),
        ("VideoObject", PageType.VIDEO),
        ("PodcastEpisode", PageType.PODCAST),
        ("NewsArticle", PageType.ARTICLE),
        ("WebPage", PageType.ARTICLE),
    ],
)
def test_a_short_page_has_its_declared_type(types, found):
    assert kind("Harbour", f"<h1>Harbour</h1><p>{SHORT}</p>", head=typed(types)) is found


def test_an_article_with_a_video_is_an_article():
    story = "".join(f"<p>{one}</p>" for one in (*PARAGRAPHS, *(one.upper() for one in PARAGRAPHS)))

    assert kind("Harbour", f"<h1>Harbour</h1>{story}", head=typed("VideoObject")) is PageType.ARTICLE


@pytest.mark.parametrize(
    "title",
    [
        "404",
        "Page not found",
        "404 - Page Not Found | Port Courier",
        "Seite nicht gefunden",
        "Page introuvable",
        "ページが見つかりません",
    ],
)
def test_a_missing_page_is_known_by_its_title(title):
    head = '<meta property="og:site_name" content="Port Courier">'

    assert kind(title, f"<h1>{title}</h1><p>{SHORT}</p>", head=head) is PageType.SOFT_404


def test_a_missing_page_may_be_long():
    assert kind("Page not found", "<h1>Page not found</h1>" + TEASERS * 20) is PageType.SOFT_404


@pytest.mark.parametrize("title", ["Page not found: how links die", "404 days without rain", "Not found guilty, again"])
def test_a_story_about_missing_pages_is_a_story(title):
    assert kind(title, f"<h1>{title}</h1><p>{SHORT}</p>") is PageType.ARTICLE


@pytest.mark.parametrize(
    "title", ["Just a moment...", "Access Denied", "Attention Required! | Cloudflare", "Are you a robot?"]
)
def test_a_block_page_is_known_by_its_title(title):
    assert kind(title, f"<p>{SHORT}</p>") is PageType.BLOCKED


def test_a_story_that_begins_like_a_block_page_is_a_story():
    title = "Access denied: the islanders who may not see their own archive"

    assert kind(title, f"<h1>{title}</h1><p>{SHORT}</p>") is PageType.ARTICLE


@pytest.mark.parametrize(
    ("title", "url"),
    [
        ("We value your privacy", "https://www.portcourier.example/a"),
        ("Port Courier", "https://consent.portcourier.example/gate?back=a"),
        ("Port Courier", "https://www.portcourier.example/consent/?to=a"),
    ],
)
def test_a_consent_page_is_known_by_its_title_or_url(title, url):
    assert kind(title, f"<p>{SHORT}</p>", url=url) is PageType.CONSENT


def test_a_consent_page_is_known_by_its_words():
    text = "We and our partners use cookies. You may consent to all cookies, or go to the settings and choose."

    assert kind("Port Courier", f"<p>{text}</p>") is PageType.CONSENT


def test_an_article_about_consent_is_an_article():
    text = "The court ruled that users must consent before cookies are set, and that cookies are not harmless."

    assert (
        kind("Court rules on cookies", f"<h1>Court rules on cookies</h1><p>{text}</p>", head=typed("NewsArticle"))
        is PageType.ARTICLE
    )


def test_a_login_page_has_a_password_field():
    form = '<form><input name="mail"><input type="password"></form>'

    assert kind("Log in | Port Courier", f"<h1>Log in</h1><p>{SHORT}</p>{form}") is PageType.LOGIN
    assert kind("Log in | Port Courier", f"<h1>Log in</h1><p>{SHORT}</p>") is PageType.ARTICLE


def test_a_story_with_a_login_box_is_a_story():
    form = '<form><input name="mail"><input type="password"></form>'

    assert read_page(page(after=form)).kind is PageType.ARTICLE


@pytest.mark.parametrize(
    "url",
    ["https://www.portcourier.example/", "https://www.portcourier.example/local", "https://a.example/news/world/"],
)
def test_a_list_of_teasers_is_an_index(url):
    assert kind("Local", f"<h1>Local</h1>{TEASERS}", url=url) is PageType.INDEX


def test_a_story_among_teasers_is_a_story():
    assert kind("Harbour", f"<h1>Harbour</h1><p>{SHORT}</p>{TEASERS}") is PageType.ARTICLE


def test_a_page_declared_as_an_article_is_no_index():
    assert read_page(page(after=TEASERS), url="https://www.portcourier.example/local").kind is PageType.ARTICLE


NOTICES = (
    "This report is kept for our members. Join today to read all of what we print, on paper and on every screen.",
    "Dieser Beitrag ist unseren Abonnenten vorbehalten. Jetzt anmelden und sofort weiterlesen, jederzeit kündbar.",
    "この続きは会員の方のみご覧いただけます。会員登録は無料で、すぐに始められます。",
)
LOCKED = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "%s", "isAccessibleForFree": false}</script>'


@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize("title", ["Harbour reopens after repairs", "埠頭が三週間ぶりに再開"])
def test_a_notice_in_place_of_the_story_is_not_an_article(notice, title):
    assert kind(title, f"<article><h1>{title}</h1><p>{notice}</p></article>", head=LOCKED % title) is PageType.PAYWALL


@pytest.mark.parametrize(
    ("title", "beginning"),
    [
        ("Harbour reopens after repairs", f"{PARAGRAPHS[0]} {NOTICES[0]}"),
        ("Satamat avataan", "Satama avattiin maanantaina kolmen viikon jälkeen, ja lautat kulkevat taas saarille."),
        ("埠頭が三週間ぶりに再開", "北の埠頭は月曜日に再開され、渡し船は通常どおり運航される。"),
    ],
)
def test_the_free_beginning_of_a_story_is_an_article(title, beginning):
    assert (
        kind(title, f"<article><h1>{title}</h1><p>{beginning}</p></article>", head=LOCKED % title) is PageType.ARTICLE
    )


def test_a_page_declared_free_is_not_paywalled():
    free = (LOCKED % STORY_TITLE).replace("false", "true")

    assert noticed(NOTICES[0], head=free) is PageType.ARTICLE


STORY_TITLE = "Harbour reopens after repairs"


def noticed(notice: str, *, title: str = STORY_TITLE, head: str = "") -> PageType:
    """Return the type of a page with a story's title and URL, and this text."""
    declared = f'<meta property="og:type" content="article"><meta property="og:title" content="{title}">{head}'
    return kind(title, f"<article><h1>{title}</h1><p>{notice}</p></article>", head=declared)


@pytest.mark.parametrize(
    ("notice", "found"),
    [
        ("Please verify that you are human. Solve the captcha and enable JavaScript and cookies to go on.", "blocked"),
        ("Our systems have seen unusual traffic from your network. Wait some minutes and try it again.", "blocked"),
        ("Bitte bestätigen Sie, dass Sie kein Roboter sind, um fortzufahren.", "blocked"),
        ("You need to enable JavaScript to run this app. Switch it on and load the page once more.", "notice"),
        ("Um diese Seite zu sehen, muss JavaScript aktiviert sein.", "notice"),
        ("このページを表示するには、JavaScriptを有効にしてください。", "notice"),
        ("Please switch off your ad blocker, since advertisements pay for what we print.", "notice"),
        ("Sorry, this video cannot be played in your country. The rights belong to another broadcaster.", "notice"),
        ("Ce programme ne peut être visionné dans votre pays pour des raisons de droits.", "notice"),
        ("Эта запись не показывается в вашем регионе по решению правообладателя.", "notice"),
        ("This page has content for adults. You must be 18 or older to go on. Enter your date of birth.", "notice"),
        ("Sign up for our free newsletter and have the best of the week in your inbox every Sunday.", "notice"),
        ("Sorry, the item that you look for is no longer available. It may have been moved.", "soft_404"),
        ("Dieser Beitrag ist leider nicht mehr verfügbar.", "soft_404"),
        ("この記事は掲載期間が終了しました。", "soft_404"),
        ("هذا المقال لم يعد متاحا على موقعنا.", "soft_404"),
        ("Please log in to go on reading, or create a free account in a minute.", "login"),
        ("Melden Sie sich an, bitte melden Sie sich kostenlos an, um weiterzulesen.", "login"),
        ("이 기사를 읽으려면 로그인이 필요합니다.", "login"),
        ("We and our 800 partners use cookies and similar things. Accept all cookies to go on.", "consent"),
        ("Wir verwenden Cookies. Wenn Sie weiterlesen möchten, müssen Sie diese akzeptieren.", "consent"),
        ("Subscribe now to read everything that our newsroom prints, from one crown a week.", "paywall"),
        ("Cet article est réservé aux abonnés. Abonnez-vous à partir de 1 euro.", "paywall"),
    ],
)
def test_a_notice_under_a_storys_title_is_not_an_article(notice, found):
    assert noticed(notice) == found


@pytest.mark.parametrize(
    "text",
    [
        "The old harbour will open on Monday. Please log in to go on reading.",  # a story's free beginning
        "Ferries sail again from Monday on, and the bakery on Skarv has bread.",  # asks for nothing
        "The country's robots will carry bread and milk to the islands, the ministry said on Friday.",
    ],
)
def test_a_short_story_is_no_notice(text):
    assert noticed(text) is PageType.ARTICLE


@pytest.mark.parametrize(
    ("title", "text"),
    [
        (
            "Browsers to block JavaScript by default",
            "From May on a reader must enable JavaScript by hand, browsers say.",
        ),
        (
            "Court: cookies need consent",
            "The court ruled that whoever sets cookies must ask, and that readers may accept or not.",
        ),
        ("Captcha is dead", "The captcha has outlived its use, since machines are better at it than people are."),
    ],
)
def test_a_story_about_access_notices_is_a_story(title, text):
    assert noticed(text, title=title) is PageType.ARTICLE


def test_a_long_text_is_no_notice():
    assert noticed("Please log in to go on. " + " ".join(f"Wine number {n} is red and dry." for n in range(40))) is (
        PageType.ARTICLE
    )


def test_a_story_behind_a_notice_is_read_from_the_pages_data():
    story = " ".join(f"The harbour opens for ferry number {n} on Monday." for n in range(20))
    data = json.dumps({"@type": "NewsArticle", "headline": STORY_TITLE, "articleBody": story})
    head = f'<script type="application/ld+json">{data}</script>'
    html = f"<html><head><title>{STORY_TITLE}</title>{head}</head><body><h1>{STORY_TITLE}</h1><p>Please enable JavaScript to go on.</p></body></html>"
    found = read_page(html)

    assert (found.text, found.path, found.kind) == (story, "jsonld", PageType.ARTICLE)
