"""RFC 9309 as test cases, and robots.txt files as found in the field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import BadUrl, RobotsTooCostly
from tasks.politeness.robots import (
    MAX_ROBOTS_SIZE,
    RobotsPolicy,
    RobotsVerdict,
    origin_of,
    parse_robots,
    policy_for,
    verdict_of_status,
)
from tasks.values.user_agent import product_token
from tests.work import calls_of

AGENT = "Presslake/0.1 (+https://presslake.example/)"


def may(robots, path, user_agent=AGENT):
    return parse_robots(robots.encode()).allows(f"https://news.example{path}", user_agent=user_agent)


def star(*rules):
    return "\n".join(("User-agent: *", *rules))


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        # allowed by default
        ([], "/", True),
        (["Disallow:"], "/a", True),
        (["Allow:"], "/a", True),
        (["Disallow: /x"], "/a", True),
        # a rule is a prefix
        (["Disallow: /"], "/", False),
        (["Disallow: /"], "/a/b?c", False),
        (["Disallow: /a"], "/a", False),
        (["Disallow: /a"], "/abc", False),
        (["Disallow: /a/"], "/a", True),
        (["Disallow: /a/"], "/a/b", False),
        (["Disallow: /a"], "/b/a", True),
        (["Disallow: a"], "/a", True),
        # paths are case-sensitive
        (["Disallow: /A"], "/a", True),
        (["Disallow: /A"], "/A", False),
        # the longest match decides, in any order
        (["Allow: /p", "Disallow: /"], "/page", True),
        (["Disallow: /", "Allow: /p"], "/page", True),
        (["Allow: /folder", "Disallow: /folder/page"], "/folder/page", False),
        (["Allow: /page", "Disallow: /*.htm"], "/page.htm", False),
        (["Allow: /page", "Disallow: /*.ph"], "/page.php5", True),
        (["Allow: /$", "Disallow: /"], "/", True),
        (["Allow: /$", "Disallow: /"], "/page.htm", False),
        # of equal matches, allow wins
        (["Disallow: /folder", "Allow: /folder"], "/folder/page", True),
        (["Allow: /folder", "Disallow: /folder"], "/folder/page", True),
        (["Disallow: /a*", "Allow: /ab"], "/ab", True),
        # wildcard
        (["Disallow: *"], "/a", False),
        (["Disallow: /*"], "/", False),
        (["Disallow: /fish*"], "/fish.html", False),
        (["Disallow: /fish*"], "/catfish", True),
        (["Disallow: /*.php"], "/folder/index.php?x=y", False),
        (["Disallow: /*.php"], "/index", True),
        (["Disallow: /fish*.php"], "/fishheads/catfish.php?parameters", False),
        (["Disallow: /fish*.php"], "/Fish.PHP", True),
        (["Disallow: /a**b"], "/axxb", False),
        (["Disallow: /*/b/*/d"], "/a/b/c/d", False),
        (["Disallow: /*/b/*/d"], "/a/b/d", True),
        (["Disallow: */print"], "/a/print", False),
        # end anchor
        (["Disallow: /*.php$"], "/x.php", False),
        (["Disallow: /*.php$"], "/x.php?y", True),
        (["Disallow: /*.php$"], "/x.php5", True),
        (["Disallow: /a$"], "/a", False),
        (["Disallow: /a$"], "/ab", True),
        (["Disallow: /*a$"], "/ba/a", False),
        (["Disallow: /aa*a$"], "/aa", True),
        (["Disallow: /a$b"], "/a$b", False),
        (["Disallow: /a$b"], "/a", True),
        # percent-encoding
        (["Disallow: /a%3cd.html"], "/a%3Cd.html", False),
        (["Disallow: /a%3Cd.html"], "/a%3cd.html", False),
        (["Disallow: /a%2fb"], "/a/b", True),
        (["Disallow: /a%2fb"], "/a%2Fb", False),
        (["Disallow: /a/ツ"], "/a/%E3%83%84", False),
        (["Disallow: /a/%E3%83%84"], "/a/ツ", False),
        (["Disallow: /a/%e3%83%84"], "/a/%E3%83%84", False),
        (["Disallow: /%62%61%7A"], "/baz", False),
        (["Disallow: /baz"], "/%62%61%7A", False),
        (["Disallow: /a b"], "/a%20b", False),
        (["Disallow: /path/file-with-a-%2A.html"], "/path/file-with-a-*.html", False),
        (["Disallow: /path/foo-%24"], "/path/foo-$", False),
        (["Disallow: /100%"], "/100%", False),
        # queries
        (["Disallow: /*?"], "/a?b", False),
        (["Disallow: /*?"], "/a", True),
        (["Disallow: /a?b=https://x.example"], "/a?b=https://x.example", False),
        (["Disallow: /*&print=1"], "/a?id=2&print=1", False),
        # fragments do not count
        (["Disallow: /*secret"], "/a#secret", True),
        # allowing the index page allows the folder
        (["Disallow: /", "Allow: /a/index.html"], "/a/", True),
        (["Disallow: /", "Allow: /a/index.html"], "/a/b", False),
        # robots.txt itself is always allowed
        (["Disallow: /"], "/robots.txt", True),
        (["Disallow: /robots.txt"], "/robots.txt", True),
        (["Disallow: /"], "/robots.txt.bak", False),
        (["Disallow: /"], "/a/robots.txt", False),
    ],
)
def test_rules_for_all_agents(rules, path, allowed):
    assert may(star(*rules), path) is allowed


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        ("User-agent: Presslake\nDisallow: /", False),
        ("user-agent: presslake\ndisallow: /", False),
        ("USER-AGENT: PRESSLAKE\nDISALLOW: /", False),
        ("User-agent: Presslake/2.0\nDisallow: /", False),
        ("User-agent: Presslake and its kin\nDisallow: /", False),
        ("User-agent: Press\nDisallow: /", True),
        ("User-agent: Presslake-News\nDisallow: /", True),
        ("User-agent: PresslakeBot\nDisallow: /", True),
        ("User-agent: Other\nDisallow: /", True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: * # all\nDisallow: /", False),
        ("User-agent: * everybody\nDisallow: /", False),
        ("User-agent: *bot\nDisallow: /", True),
        # our own group replaces the default group, even if it is empty
        ("User-agent: *\nDisallow: /\nUser-agent: Presslake\nDisallow:", True),
        ("User-agent: Presslake\nDisallow:\nUser-agent: *\nDisallow: /", True),
        ("User-agent: Presslake\nAllow: /\nUser-agent: *\nDisallow: /", True),
        ("User-agent: *\nAllow: /\nUser-agent: Presslake\nDisallow: /", False),
        # consecutive agents share their rules
        ("User-agent: Other\nUser-agent: Presslake\nDisallow: /", False),
        ("User-agent: Presslake\nUser-agent: Other\nDisallow: /", False),
        ("User-agent: Presslake\n\n\nUser-agent: Other\n\nDisallow: /", False),
        ("User-agent: Presslake\nSitemap: https://x.example/s.xml\nUser-agent: Other\nDisallow: /", False),
        ("User-agent: Presslake\nDisallow: /b\nUser-agent: Other\nDisallow: /", True),
        # groups of one agent are merged
        (
            "User-agent: Presslake\nDisallow: /b\nUser-agent: Other\nAllow: /\nUser-agent: Presslake\nDisallow: /a",
            False,
        ),
        ("User-agent: *\nDisallow: /b\n\nUser-agent: *\nDisallow: /a", False),
        # rules before any agent apply to nobody
        ("Disallow: /\nUser-agent: Other\nAllow: /", True),
        ("Disallow: /", True),
        ("User-agent:\nDisallow: /", True),
    ],
)
def test_the_group_with_our_name_applies(robots, allowed):
    assert may(robots, "/a") is allowed


@pytest.mark.parametrize(
    "robots",
    [
        "User-agent: *\r\nDisallow: /a\r\n",
        "User-agent: *\rDisallow: /a\r",
        "\ufeffUser-agent: *\nDisallow: /a",
        "\n\n  User-agent :  *  \n\t Disallow\t:\t/a \t# why\n",
        "User-agent * \nDisallow /a",
        "User-agent: *\nDissalow: /a",
        "useragent: *\nDisallow: /a",
        "User-agent: *\nNoindex: /x\nClean-param: y\nHost: z\nno separator here at all\ngarbage\n:\n: x\nDisallow: /a",
        "User-agent: *\n#Disallow: /b\nDisallow: /a#b",
        "User-agent: *\nDisallow: /a\nUser-agent: *\x00\nAllow: /",
    ],
    ids=["crlf", "cr", "bom", "blanks", "no colons", "misspelt", "one word", "unknown lines", "comments", "nul"],
)
def test_files_are_parsed_leniently(robots):
    assert not may(robots, "/a")
    assert may(robots, "/b")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xef\xbb\xbf",
        b"\x00" * 100,
        bytes(range(256)),
        b"<!doctype html>\n<pre>\nUser-agent: *\nDisallow: /\n</pre>",
        b" \n <html>User-agent: *\nDisallow: /",
        "User-agent: *\nDisallow: /".encode("utf-16"),
        b'{"error": "not found"}',
        b"%PDF-1.7\nUser-agent Disallow",
    ],
)
def test_a_file_that_is_no_robots_txt_forbids_nothing(body):
    assert parse_robots(body).allows("https://news.example/a", user_agent=AGENT)


def test_invalid_utf8_matches_its_percent_encoding():
    policy = parse_robots(b"User-agent: *\nDisallow: /caf\xe9")

    assert not policy.allows("https://news.example/caf%E9", user_agent=AGENT)


def test_the_first_500_kib_count_up_to_a_whole_line():
    filler = b"#" + b"x" * 1022 + b"\n"
    head = b"User-agent: *\nDisallow: /a\n"
    rest = MAX_ROBOTS_SIZE - len(head)
    padded = head + filler * (rest // 1024) + b"#" * (rest % 1024 - len(b"\nDisallow: /b")) + b"\nDisallow: /better\n"

    policy = parse_robots(padded)

    assert not policy.allows("https://news.example/a", user_agent=AGENT)
    assert policy.allows("https://news.example/better", user_agent=AGENT)
    assert policy.allows("https://news.example/b", user_agent=AGENT)


def test_a_file_of_exactly_500_kib_is_read_completely():
    rule = b"\nDisallow: /b"
    body = b"User-agent: *\n".ljust(MAX_ROBOTS_SIZE - len(rule), b"#") + rule

    assert not parse_robots(body).allows("https://news.example/b", user_agent=AGENT)


@pytest.mark.parametrize(
    ("robots", "delay_s"),
    [
        ("", None),
        (star("Crawl-delay: 10"), 10),
        (star("crawl-delay: 1.5", "Disallow: /x"), 1.5),
        (star("Disallow: /x", "Crawl-delay: 3"), 3),
        (star("Crawl-delay: 3", "Crawl-delay: 7"), 7),
        (star("Crawl-delay: 0"), 0),
        (star("Crawl-delay: 10s"), None),
        (star("Crawl-delay: -1"), None),
        (star("Crawl-delay: nan"), None),
        (star("Crawl-delay: inf"), None),
        (star("Crawl-delay:"), None),
        ("Crawl-delay: 9\n" + star("Disallow:"), None),
        ("User-agent: Presslake\nCrawl-delay: 2\n\n" + star("Crawl-delay: 9", "Disallow: /"), 2),
        ("User-agent: Presslake\nDisallow: /x\n\n" + star("Crawl-delay: 9"), None),
        ("User-agent: Other\nCrawl-delay: 9\nUser-agent: Presslake\nDisallow: /x", None),
        ("User-agent: Other\nCrawl-delay: 9\nUser-agent: Presslake\nCrawl-delay: 4\nDisallow: /x", 4),
    ],
)
def test_the_crawl_delay_of_our_group_applies(robots, delay_s):
    policy = parse_robots(robots.encode())

    assert policy.crawl_delay_s(AGENT) == delay_s
    assert policy.crawl_delay_s(product_token(AGENT)) == delay_s


def test_sitemaps_apply_to_all_agents_in_order_and_once():
    robots = "Sitemap: https://x.example/1.xml\nUser-agent: Other\nsitemap:https://x.example/2.xml?a=b:c\nSitemap:\nSitemap: https://x.example/1.xml"

    assert parse_robots(robots.encode()).sitemaps == ("https://x.example/1.xml", "https://x.example/2.xml?a=b:c")


def test_policies_for_sites_without_rules_and_unreachable_sites():
    url = "https://news.example/a"

    assert RobotsPolicy.allow_all().allows(url, user_agent=AGENT)
    assert not RobotsPolicy.disallow_all().allows(url, user_agent=AGENT)
    assert RobotsPolicy.disallow_all().allows(f"{origin_of(url)}/robots.txt", user_agent=AGENT)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, RobotsVerdict.PARSE),
        (206, RobotsVerdict.PARSE),
        (301, RobotsVerdict.ALLOW_ALL),
        (401, RobotsVerdict.ALLOW_ALL),
        (403, RobotsVerdict.ALLOW_ALL),
        (404, RobotsVerdict.ALLOW_ALL),
        (410, RobotsVerdict.ALLOW_ALL),
        (429, RobotsVerdict.DISALLOW_ALL),
        (500, RobotsVerdict.DISALLOW_ALL),
        (503, RobotsVerdict.DISALLOW_ALL),
        (None, RobotsVerdict.DISALLOW_ALL),
    ],
)
def test_the_status_determines_the_policy(status, verdict):
    assert verdict_of_status(status) is verdict


@pytest.mark.parametrize(
    ("user_agent", "token"),
    [
        ("Presslake/0.1 (+https://x.example)", "Presslake"),
        ("Presslake", "Presslake"),
        ("My_News-Bot/2", "My_News-Bot"),
        ("Mozilla/5.0 (compatible; Presslake/0.1; +https://x.example)", "Presslake"),
        ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101", "Mozilla"),
        ("007/1", ""),
        ("", ""),
    ],
)
def test_the_product_token_is_the_name_in_the_user_agent(user_agent, token):
    assert product_token(user_agent) == token
    assert product_token(token) == token


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://news.example/a?b#c", "https://news.example"),
        ("HTTP://News.Example:80/", "http://news.example"),
        ("http://news.example:8080/a", "http://news.example:8080"),
        ("https://zürich.example/", "https://xn--zrich-kva.example"),
        ("http://[::1]:81/", "http://[::1]:81"),
    ],
)
def test_each_origin_has_its_own_robots_txt(url, origin):
    assert origin_of(url) == origin


@pytest.mark.parametrize("url", ["", "/a", "http://[::1", "http://a b/", "http://h/\ud800"])
def test_an_invalid_url_is_a_bad_url(url):
    with pytest.raises(BadUrl):
        origin_of(url)
    with pytest.raises(BadUrl):
        RobotsPolicy.allow_all().allows(url, user_agent=AGENT)


@given(st.binary(max_size=500), st.text(alphabet="/ab*$%2F?é ", max_size=30))
def test_no_bytes_raise(body, path):
    parse_robots(body).allows(f"https://news.example/{path}", user_agent=AGENT)


@given(
    st.lists(st.sampled_from(["/", "a", "/a", "/ab", "/a*", "*b", "/a$", "/*b$", "/a/b"]), max_size=6),
    st.text("/ab", max_size=8),
)
def test_an_allow_equal_to_a_disallow_wins(patterns, path):
    rules = [f"{kind}: {pattern}" for pattern in patterns for kind in ("Disallow", "Allow")]

    assert may(star(*rules), f"/{path}")


HOSTILE = {
    "many rules": star(*(f"Disallow: /path/{number}/*.php$" for number in range(17_000))).encode(),
    "many stars": star(*(["Disallow: /" + "*a" * 8000 + "b"] * 30)).encode(),
    "many groups": "\n".join(
        f"User-agent: {'abcdefghij'[n % 10] * (n // 10 % 40)}{'x' * (n % 7)}\nDisallow: /" for n in range(15_000)
    ).encode(),
    "many delays": b"\n".join(b"User-agent: x\nCrawl-delay: 1" for _ in range(17_000)),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_parsed_cheaply(body):
    policy = parse_robots(body)

    def ask():
        policy.allows("https://news.example/" + "a" * 2000, user_agent=AGENT)
        policy.crawl_delay_s("x")

    assert calls_of(lambda: parse_robots(body)) < 2 * len(body)
    assert calls_of(ask) < 200_000


def test_a_verdict_on_an_ordinary_file_checks_each_rule_about_once():
    policy = parse_robots(star(*(f"Disallow: /path/{number}/*.php$" for number in range(200))).encode())

    assert calls_of(lambda: policy.allows("https://news.example/2026/03/article?a=b", user_agent=AGENT)) < 3 * 200


LONG = "https://news.example/" + "a" * 4000


@pytest.mark.parametrize(
    ("rules", "url"),
    [
        # each pattern, and the path, is long enough to need matching
        ([f"Disallow: *{'a' * 20}{number}" for number in range(1500)], LONG),
        ([f"Disallow: /a*b{number}$" for number in range(1500)], LONG),
        # more patterns than are kept, none of which matches the URL
        ([f"Disallow: /{number:06}*x" for number in range(2100)], "https://news.example/story"),
    ],
)
def test_a_verdict_that_takes_too_much_work_is_disallowed_with_a_reason(rules, url):
    policy = parse_robots(star(*rules).encode())

    with pytest.raises(RobotsTooCostly):
        policy.check(url, user_agent=AGENT)
    assert not policy.allows(url, user_agent=AGENT)


def test_of_too_many_patterns_the_longest_are_kept_and_decide():
    rules = [f"Disallow: /{number:06}*x" for number in range(2100)]

    assert may(star(*rules, "Allow: /news/*/story"), "/news/2026/story")
    assert not may(star(*rules, "Allow: /", "Disallow: /news/*/story"), "/news/2026/story")


@pytest.mark.parametrize("number", [2500, 12_000])
def test_any_number_of_plain_paths_is_kept(number):
    body = star(*(f"Disallow: /withdrawn/{one:05}" for one in range(number)))

    assert may(body, "/story")
    assert not may(body, f"/withdrawn/{number - 1:05}")


def test_a_repeated_rule_counts_once():
    body = star(*(f"Disallow: *ab{one % 10}" for one in range(36_000)))

    assert may(body, "/" + "a" * 4000)
    assert not may(body, "/" + "a" * 4000 + "b7")


def test_a_policy_for_one_agent_keeps_only_its_groups():
    body = (
        b"User-agent: presslake\nDisallow: /a\n\nUser-agent: other\nDisallow: /b\n\nSitemap: https://news.example/map"
    )

    policy = policy_for(body, AGENT)

    assert [list(group.agents) for group in policy.groups] == [["presslake"]]
    assert policy.sitemaps == ("https://news.example/map",)
    assert not policy.allows("https://news.example/a", user_agent=AGENT)
