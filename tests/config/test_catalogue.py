"""Reading `sources.yaml`, and the messages for its mistakes."""

from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.config.catalogue import (
    DEFAULT_USER_AGENT,
    Catalogue,
    Defaults,
    Source,
    accepts,
    catalogue_schema,
)
from tasks.config.loading import DEPRECATED_TDM, catalogue_warnings, load_catalogue
from tasks.config.options import NO_OPTIONS, ExtractOptions, PruneRule
from tasks.config.retention import KeptDays
from tasks.errors import CatalogueError
from tasks.values.feed import FeedKind

FULL = """\
defaults:
  user_agent: "Probe/1.0 (+https://example.org/bot)"
  crawl_delay_s: 0.5
  max_per_host: 2
  allow_networks: [127.0.0.0/8, "::1"]
sources:
  - id: easterneye                # [a-z0-9-]+
    name: Eastern Eye
    home_url: https://www.easterneye.biz/
    feeds: [https://www.easterneye.biz/feed]
    sitemaps: [https://www.easterneye.biz/sitemap.xml]
    listings: [https://www.easterneye.biz/news]
    urls: []
    language: en
    include: ['/20\\d\\d/']
    exclude: ['/video/', '\\.pdf$']
    crawl_delay_s: 2.0
  - id: quiet
    feeds:
      - https://quiet.example/rss
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Return a function that writes a catalogue; its path is relative, as in the messages that users see."""
    monkeypatch.chdir(tmp_path)

    def write(text):
        path = Path("sources.yaml")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def mistake(path):
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(path)
    return str(caught.value)


def source_with(field):
    return f"sources:\n  - id: a\n    {field}\n"


def test_a_full_catalogue_is_read(written):
    catalogue = load_catalogue(written(FULL))

    assert catalogue.sources[0] == Source(
        id="easterneye",
        name="Eastern Eye",
        home_url="https://www.easterneye.biz/",
        feeds=("https://www.easterneye.biz/feed",),
        sitemaps=("https://www.easterneye.biz/sitemap.xml",),
        listings=("https://www.easterneye.biz/news",),
        language="en",
        include=(r"/20\d\d/",),
        exclude=("/video/", r"\.pdf$"),
        crawl_delay_s=2.0,
    )


def test_defaults_are_optional(written):
    catalogue = load_catalogue(written("sources: [{id: a}]"))

    assert catalogue.defaults == Defaults(
        user_agent=DEFAULT_USER_AGENT, crawl_delay_s=1.0, max_per_host=1, allow_networks=()
    )


def test_a_name_defaults_to_the_id(written):
    assert load_catalogue(written(FULL)).sources[1].name == "quiet"


def test_a_source_overrides_a_default(written):
    catalogue = load_catalogue(written(FULL))

    assert catalogue.sources[0].effective(catalogue.defaults).crawl_delay_s == 2.0


def test_a_source_without_settings_has_the_defaults(written):
    catalogue = load_catalogue(written(FULL))

    rules = catalogue.sources[1].effective(catalogue.defaults)

    assert (rules.user_agent, rules.crawl_delay_s, rules.max_per_host, rules.allow_networks) == (
        "Probe/1.0 (+https://example.org/bot)",
        0.5,
        2,
        (ip_network("127.0.0.0/8"), ip_network("::1")),
    )


def test_a_source_may_remove_networks_allowed_by_default(written):
    catalogue = load_catalogue(
        written("defaults: {allow_networks: [10.0.0.0/8]}\nsources: [{id: a, allow_networks: []}]")
    )

    assert catalogue.sources[0].effective(catalogue.defaults).allow_networks == ()


def test_a_crawl_delay_of_zero_overrides_the_default(written):
    catalogue = load_catalogue(written(source_with("crawl_delay_s: 0")))

    assert catalogue.sources[0].effective(catalogue.defaults).crawl_delay_s == 0


def test_feeds_of_returns_each_url_once_with_its_kind():
    source = Source(
        id="a",
        feeds=("https://a.example/1", "https://a.example/1"),
        sitemaps=("https://a.example/2",),
        listings=("https://a.example/1", "https://a.example/3"),
        urls=("https://a.example/article",),
    )

    assert source.feeds_of() == (
        ("https://a.example/1", FeedKind.FEED),
        ("https://a.example/2", FeedKind.SITEMAP),
        ("https://a.example/3", FeedKind.LISTING),
    )


def test_urls_may_be_a_file_beside_the_catalogue(written, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "urls.txt").write_text(
        "\ufeff# articles\n\nhttps://a.example/1\n  https://a.example/2#!/x  # why\r\n\t# none\n"
    )

    catalogue = load_catalogue(written(source_with("urls: lists/urls.txt")))

    assert catalogue.sources[0].urls == ("https://a.example/1", "https://a.example/2#!/x")


def test_norwegian_is_read_as_a_language_not_a_boolean(written):
    assert load_catalogue(written(source_with("language: no"))).sources[0].language == "no"


def test_a_key_without_a_value_is_not_set(written):
    assert load_catalogue(written(source_with("feeds:"))).sources[0].feeds == ()


def test_a_byte_order_mark_is_accepted(written):
    assert load_catalogue(written(b"\xef\xbb\xbfsources: [{id: a}]")).sources[0].id == "a"


def test_sources_share_the_default_objects(written):
    catalogue = load_catalogue(written("sources:\n  - {id: a}\n  - {id: b}\n  - {id: c, extract: {prune: false}}\n"))

    a, b, c = (catalogue.rules()[one] for one in "abc")

    assert (a.extract is b.extract, a.obedience is b.obedience, a.extract == c.extract) == (True, True, False)


def test_a_yaml_alias_is_expanded(written):
    text = "sources:\n  - {id: a, include: &news [/news/]}\n  - {id: b, include: *news}\n"

    assert load_catalogue(written(text)).sources[1].include == ("/news/",)


MISTAKES = [
    # the example of the contract
    (
        "defaults:\n  crawl_delay_s: 1\n\nsources:\n  - id: a\n    # slow\n    crawl_delay_s: soon\n",
        "sources.yaml:7: sources[0].crawl_delay_s: Input should be a valid number",
    ),
    # the file as YAML
    ("", "sources.yaml: empty; expected `sources:`"),
    ("# nothing\n", "sources.yaml: empty; expected `sources:`"),
    ("- a\n", "sources.yaml:1: should be a mapping with `sources:`"),
    ("\n\nplain\n", "sources.yaml:3: should be a mapping with `sources:`"),
    ("sources:\n\t- id: a\n", "sources.yaml:2: contains a tab; indent YAML with spaces"),
    ("sources: [\n  {id: a\n", "sources.yaml:3: did not find expected ',' or '}'"),
    ("sources: []\n---\nsources: []\n", "sources.yaml:2: but found another document"),
    ("sources: [{id: a}]\nsources: [{id: b}]\n", "sources.yaml:2: sources is already defined on line 1"),
    ("sources:\n  - id: a\n    feeds: []\n    feeds: []\n", "sources.yaml:4: feeds is already defined on line 3"),
    ("sources: !!python/tuple [a]\n", "sources.yaml:1: the tag tag:yaml.org,2002:python/tuple is not supported here"),
    ("sources: !mine [a]\n", "sources.yaml:1: the tag !mine is not supported here"),
    ("? [a]\n: b\n", "sources.yaml:1: a key should be a name"),
    (b"sources:\n  - id: \xff\n", "sources.yaml:2: not UTF-8"),
    ("&a [*a]", "sources.yaml:1: too large or too deep after expanding its aliases"),
    # shape
    (
        "source: []\n",
        "sources.yaml:1: sources: is required\nsources.yaml:1: source: unknown field; did you mean sources?",
    ),
    (
        "sources: []\nsorces: 1\n",
        "sources.yaml:1: sources: should name at least one source\nsources.yaml:2: sorces: unknown field; did you mean sources?",
    ),
    ("sources: [{id: a}]\ndefault: {}\n", "sources.yaml:2: default: unknown field; did you mean defaults?"),
    ("defaults: {delay: 1}\nsources: [{id: a}]\n", "sources.yaml:1: defaults.delay: unknown field"),
    ("sources: {a: {}}\n", "sources.yaml:1: sources: should be a list"),
    ("sources:\n  - a\n", "sources.yaml:2: sources[0]: should be a mapping"),
    ("defaults: 3\nsources: [{id: a}]\n", "sources.yaml:1: defaults: should be a mapping"),
    ("sources:\n  - name: A\n", "sources.yaml:2: sources[0].id: is required"),
    (
        "sources:\n  - id: a\n  - id: b\n  - id: a\n",
        "sources.yaml:4: sources[2].id: is already the id of an earlier source",
    ),
    # fields
    (source_with("feed: []"), "sources.yaml:3: sources[0].feed: unknown field; did you mean feeds?"),
    (source_with("xyzzy: []"), "sources.yaml:3: sources[0].xyzzy: unknown field"),
    (source_with("feeds: https://a.example/"), "sources.yaml:3: sources[0].feeds: should be a list"),
    (
        source_with("feeds:\n    - https://a.example/\n    - a.example/rss"),
        "sources.yaml:5: sources[0].feeds[1]: should be a URL with http:// or https://, without a user name",
    ),
    (
        source_with("feeds: ['ftp://a.example/']"),
        "sources.yaml:3: sources[0].feeds[0]: should be a URL with http:// or https://, without a user name",
    ),
    (
        source_with("home_url: https://a:b@a.example/"),
        "sources.yaml:3: sources[0].home_url: should be a URL with http:// or https://, without a user name",
    ),
    (
        source_with("include: ['(']"),
        "sources.yaml:3: sources[0].include[0]: is not a regular expression: missing ), unterminated subpattern at position 0",
    ),
    (
        source_with("allow_networks: [10.0.0.1/8]"),
        "sources.yaml:3: sources[0].allow_networks[0]: is not a network such as 10.0.0.0/8: 10.0.0.1/8 has host bits set",
    ),
    (
        source_with("allow_networks: [10]"),
        "sources.yaml:3: sources[0].allow_networks[0]: is not a network such as 10.0.0.0/8: should be quoted text",
    ),
    (source_with("name: 20"), "sources.yaml:3: sources[0].name: should be text; put a number in quotes"),
    (
        source_with("crawl_delay_s: -1"),
        "sources.yaml:3: sources[0].crawl_delay_s: Input should be greater than or equal to 0",
    ),
    (source_with("crawl_delay_s: yes"), "sources.yaml:3: sources[0].crawl_delay_s: Input should be a valid number"),
    (source_with("crawl_delay_s: true"), "sources.yaml:3: sources[0].crawl_delay_s: Input should be a valid number"),
    (
        source_with("max_per_host: 17"),
        "sources.yaml:3: sources[0].max_per_host: Input should be less than or equal to 16",
    ),
    (
        source_with("max_per_host: 0"),
        "sources.yaml:3: sources[0].max_per_host: Input should be greater than or equal to 1",
    ),
    (
        source_with('user_agent: "a\\r\\nCookie: b"'),
        "sources.yaml:3: sources[0].user_agent: should be one line of ASCII, without white space around it",
    ),
    (
        source_with("urls: https://a.example/"),
        "sources.yaml:3: sources[0].urls: should be a list of URLs, or the path of a file of them",
    ),
    (
        source_with("poll: {min_s: 600, max_s: 300}"),
        "sources.yaml:3: sources[0].poll: min_s (600) should not be more than max_s (300)",
    ),
    (
        source_with("poll: {mins_s: 600}"),
        "sources.yaml:3: sources[0].poll.mins_s: unknown field; did you mean min_s?",
    ),
    (
        source_with("poll: {min_s: 5}"),
        "sources.yaml:3: sources[0].poll.min_s: Input should be greater than or equal to 60",
    ),
    (source_with("obey_tdm: 1"), "sources.yaml:3: sources[0].obey_tdm: Input should be a valid boolean"),
    (
        source_with("extract: {keep: ['//div[']}"),
        "sources.yaml:3: sources[0].extract.keep[0]: is not XPath 1.0: Invalid expression",
    ),
    (
        source_with("extract: {keep: ['unheard(.)']}"),
        "sources.yaml:3: sources[0].extract.keep[0]: is not XPath 1.0: Unregistered function",
    ),
    (
        source_with("extract: {selectors: {title: count(//h1)}}"),
        "sources.yaml:3: sources[0].extract.selectors.title: should select elements, attributes or text, not a number or a boolean",
    ),
    (
        source_with("extract: {keep: [//aside, 'css:div[']}"),
        "sources.yaml:3: sources[0].extract.keep[1]: is not a CSS selector: Expected ident or '*', got <EOF at 4>",
    ),
    (
        source_with("extract: {selectors: {date: 'css:time:first'}}"),
        "sources.yaml:3: sources[0].extract.selectors.date: is not a CSS selector: The pseudo-class :first is unknown",
    ),
    (
        source_with("extract: {selectors: {body: //p}}"),
        "sources.yaml:3: sources[0].extract.selectors.body: unknown field",
    ),
    (
        source_with("extract: {prune_wihout: [cards]}"),
        "sources.yaml:3: sources[0].extract.prune_wihout: unknown field; did you mean prune_without?",
    ),
    (source_with("extract: {prune: 2}"), "sources.yaml:3: sources[0].extract.prune: Input should be a valid boolean"),
    (source_with("urls: none.txt"), "sources.yaml:3: sources[0].urls: none.txt: no such file or directory"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_is_reported_with_its_line(written, text, message):
    assert mistake(written(text)).startswith(message)


@pytest.mark.parametrize("source_id", ["A", "a_b", "a.b", "'a b'", "a/b", "../a", "ä", "a" * 65, "''"])
def test_an_id_is_lower_case_letters_digits_and_hyphens(written, source_id):
    message = mistake(written(f"sources:\n- id: {source_id}\n"))

    assert message == "sources.yaml:2: sources[0].id: should be lower-case letters, digits and hyphens, at most 64"


def test_a_mistake_in_a_url_file_is_reported_with_that_files_line(written, tmp_path):
    (tmp_path / "urls.txt").write_text("https://a.example/1\nnonsense\n")

    message = mistake(written(source_with("urls: urls.txt")))

    assert message.endswith(
        "sources[0].urls: urls.txt:2: should be a URL with http:// or https://, without a user name"
    )


def test_a_missing_file_is_named(tmp_path):
    assert mistake(tmp_path / "none.yaml") == f"{tmp_path / 'none.yaml'}: no such file; create it with `presslake init`"


def test_a_folder_is_refused(tmp_path):
    assert mistake(tmp_path) == f"{tmp_path}: is a directory"


def test_a_too_large_file_is_refused(written):
    assert mistake(written(b"#" * 10_000_001)) == "sources.yaml: larger than 10,000,000 bytes"


def test_all_mistakes_are_reported_in_file_order_one_per_line(written):
    lines = mistake(written('sources:\n  - id: "a\\nb"\n    feeds: [x, y]\n    "c\\nd": 1\n')).splitlines()

    assert [line.partition(" ")[0] for line in lines] == [
        "sources.yaml:2:",
        *["sources.yaml:3:"] * 2,
        "sources.yaml:4:",
    ]


def test_mistakes_of_all_kinds_are_reported_together(written):
    text = "sources:\n  - id: a\n    feeds: []\n    feeds: []\n  - id: a\n    nam: A\n  - id: a\n    urls: !mine [b]\n"

    lines = mistake(written(text)).splitlines()

    assert lines == [
        "sources.yaml:4: feeds is already defined on line 3",
        "sources.yaml:5: sources[1].id: is already the id of an earlier source",
        "sources.yaml:6: sources[1].nam: unknown field; did you mean name?",
        "sources.yaml:7: sources[2].id: is already the id of an earlier source",
        "sources.yaml:8: the tag !mine is not supported here",
        "sources.yaml:8: sources[2].urls[0]: should be a URL with http:// or https://, without a user name",
    ]


def test_only_the_first_mistakes_are_listed_and_the_rest_counted(written):
    lines = mistake(written("sources:\n" + "  - {}\n" * 90)).splitlines()

    assert len(lines) == 51
    assert lines[-1] == "sources.yaml: 40 more"


def test_a_source_with_nothing_to_read_is_a_warning(written):
    catalogue = load_catalogue(written("sources: [{id: a}, {id: b, home_url: 'https://b.example/'}]"))

    assert [line.partition(":")[0] for line in catalogue_warnings(catalogue)] == ["source a has nothing to read"]


def test_a_feed_of_two_sources_is_a_warning_in_any_spelling(written):
    feeds = ["https://x.example/feed", "HTTPS://X.EXAMPLE:443/feed#top"]
    catalogue = load_catalogue(
        written("sources:\n" + "".join(f"  - {{id: s{n}, feeds: ['{url}']}}\n" for n, url in enumerate(feeds)))
    )

    assert list(catalogue_warnings(catalogue)) == [
        "sources s0 and s1 share a feed, which is polled for only one of them: https://x.example/feed"
    ]


def test_two_sections_of_one_site_are_no_warning(written):
    catalogue = load_catalogue(
        written("sources: [{id: a, feeds: ['https://x.example/a']}, {id: b, feeds: ['https://x.example/b']}]")
    )

    assert list(catalogue_warnings(catalogue)) == []


def test_tags_country_and_notes_are_read(written):
    source = load_catalogue(
        written(source_with("tags: [local, ' sport ']\n    country: no\n    notes: ask Ann"))
    ).sources[0]

    assert (source.tags, source.country, source.notes) == (("local", "sport"), "NO", "ask Ann")


def test_nested_aliases_do_not_exhaust_memory(written):
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join(['*' + before] * 10)}]" for before, name in pairwise("abcdefghij")]

    message = mistake(written("\n".join(lines)))

    assert "too large or too deep after expanding its aliases" in message


@pytest.mark.parametrize("brackets", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
def test_deep_nesting_is_a_mistake_and_no_crash(written, brackets):
    assert mistake(written(brackets)).startswith("sources.yaml:")


@given(st.one_of(st.text(max_size=60), st.text(st.sampled_from("abid:sorce[]{}-&*!|>'\"# \n\t?,0"), max_size=60)))
def test_any_text_is_a_catalogue_or_gives_error_lines_that_name_the_file(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    message = "read"
    try:
        load_catalogue(path)
    except CatalogueError as error:
        message = str(error)

    assert message == "read" or all(line.startswith(str(path)) for line in message.splitlines())


def test_select_keeps_the_order_of_the_catalogue(written):
    catalogue = load_catalogue(written("sources: [{id: a}, {id: b}, {id: c}]"))

    assert [source.id for source in catalogue.select(["c", "a"]).sources] == ["a", "c"]


def test_select_without_ids_returns_all_sources(written):
    catalogue = load_catalogue(written(FULL))

    assert catalogue.select([]) == catalogue


def test_select_names_an_unknown_source(written):
    catalogue = load_catalogue(written(FULL))

    with pytest.raises(CatalogueError, match=r"^no source 'easternye' in the catalogue; did you mean easterneye\?$"):
        catalogue.select(["easternye"])


@pytest.mark.parametrize(
    ("include", "exclude", "url", "kept"),
    [
        ((), (), "https://a.example/x", True),
        (("/news/",), (), "https://a.example/news/x", True),
        (("/news/",), (), "https://a.example/x", False),
        (("/news/", "/sport/"), (), "https://a.example/sport/x", True),
        ((), (r"\.pdf$",), "https://a.example/x.pdf", False),
        ((), (r"\.pdf$",), "https://a.example/x.pdf?x", True),
        (("/news/",), ("/news/live",), "https://a.example/news/live/x", False),
        ((), (), "https://a.example/" + "x" * 8192, False),
    ],
)
def test_accepts_is_true_if_the_url_is_kept(include, exclude, url, kept):
    rules = Source(id="a", include=include, exclude=exclude).effective(Defaults())

    assert accepts(url, rules) is kept


def test_every_field_is_described():
    schema = catalogue_schema()

    models = [schema, *schema["$defs"].values()]

    assert [
        name for model in models for name, field in model.get("properties", {}).items() if "description" not in field
    ] == []


def test_the_schema_is_a_valid_json_schema():
    jsonschema.Draft202012Validator.check_schema(catalogue_schema())


def test_the_schema_accepts_valid_catalogues():
    jsonschema.Draft202012Validator(catalogue_schema()).validate(yaml.safe_load(FULL))


@pytest.mark.parametrize("text", ["sources: []", "sources: [{id: A}]", "sources: [{id: a, feed: []}]", "{}"])
def test_the_schema_refuses_invalid_catalogues(text):
    assert not jsonschema.Draft202012Validator(catalogue_schema()).is_valid(yaml.safe_load(text))


def test_the_schema_allows_a_path_for_urls():
    content = {"sources": [{"id": "a", "urls": "urls.txt"}]}

    assert jsonschema.Draft202012Validator(catalogue_schema()).is_valid(content)


def test_a_catalogue_built_in_code_is_validated_like_a_file():
    with pytest.raises(ValueError, match="earlier source"):
        Catalogue(sources=(Source(id="a"), Source(id="a")))


def test_poll_bounds_and_rights_fall_back_to_the_defaults(written):
    catalogue = load_catalogue(
        written(
            "defaults: {obey_tdm: true, poll: {min_s: 300}}\n"
            "sources: [{id: a}, {id: b, obey_tdm: false, poll: {min_s: 60, max_s: 120}}]"
        )
    )

    rules = [source.effective(catalogue.defaults) for source in catalogue.sources]

    assert [(one.obedience.obeys_tdm, one.poll_min_s, one.poll_max_s) for one in rules] == [
        (True, 300.0, 86_400.0),
        (False, 60.0, 120.0),
    ]


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("defaults: {obey_tdm: true}\nsources: [{id: a, home_url: 'https://a.example/'}]", [DEPRECATED_TDM]),
        ("sources: [{id: a, home_url: 'https://a.example/', obey_tdm: true}]", [DEPRECATED_TDM]),
        ("sources: [{id: a, home_url: 'https://a.example/', obey: exclude}]", []),
    ],
)
def test_the_old_form_of_obey_still_works_with_a_warning(written, text, warned):
    catalogue = load_catalogue(written(text))

    assert list(catalogue_warnings(catalogue)) == warned
    assert catalogue.sources[0].effective(catalogue.defaults).obedience.obeys_tdm is bool(warned)


def test_a_css_selector_is_translated_to_xpath(written):
    catalogue = load_catalogue(written("sources: [{id: a, extract: {selectors: {title: 'css:main > h1'}}}]"))

    (source,) = catalogue.sources
    assert source.effective(catalogue.defaults).extract.title == "descendant-or-self::main/h1"


def test_extraction_options_are_in_a_sources_rules(written):
    options = "{prune_without: [cards, deks], keep: ['//aside'], selectors: {title: //h1, text: //main, date: //time}}"
    catalogue = load_catalogue(
        written(f"sources: [{{id: a}}, {{id: b, extract: {{prune: false}}}}, {{id: c, extract: {options}}}]")
    )

    assert [source.effective(catalogue.defaults).extract for source in catalogue.sources] == [
        NO_OPTIONS,
        ExtractOptions(is_pruned=False),
        ExtractOptions(
            prune_without=(PruneRule.CARDS, PruneRule.DEKS),
            keep=("//aside",),
            title="//h1",
            text="//main",
            date="//time",
        ),
    ]


def test_an_unknown_pruning_rule_is_reported(written):
    message = mistake(written(source_with("extract: {prune_without: [ads]}")))

    assert message.startswith("sources.yaml:3: sources[0].extract.prune_without[0]: Input should be 'comments', ")


def test_each_retention_number_falls_back_to_the_defaults(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text(
        "defaults: {retention: {payload_days: 90, text_days: 365}}\n"
        "sources:\n- {id: a, home_url: 'https://a.example/', retention: {payload_days: 30}}\n"
        "- {id: b, home_url: 'https://b.example/'}\n"
    )

    rules = load_catalogue(path).retention()

    assert rules.by_source == {
        "a": KeptDays(payload_days=30, text_days=365),
        "b": KeptDays(payload_days=90, text_days=365),
    }
    assert rules.usual == KeptDays(payload_days=90, text_days=365)


@pytest.mark.parametrize("days", ["0", "1.5", "-1", "forever", "99999"])
def test_retention_days_are_integers_within_bounds(tmp_path, days):
    path = tmp_path / "sources.yaml"
    path.write_text(f"sources:\n- {{id: a, home_url: 'https://a.example/', retention: {{text_days: {days}}}}}\n")

    with pytest.raises(CatalogueError, match="text_days"):
        load_catalogue(path)
