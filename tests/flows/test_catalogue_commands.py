"""Making a catalogue without an editor: `init`, `sources add`, `sources import`."""

import re

import pytest

from tasks.config.loading import load_catalogue
from tests.engine import Presslake
from tests.press import running_press

LIST = """<opml version="2.0"><body><outline text="Local">
<outline text="Daily" xmlUrl="https://daily.example/rss"/><outline text="Broken" xmlUrl="rss.xml"/></outline>
<outline text="Weekly" xmlUrl="https://weekly.example/rss"/></body></opml>"""
ALLOWED = {"PRESSLAKE_ALLOW_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def presslake(offline_presslake) -> Presslake:
    """The command in an empty folder, with the catalogue at its default path."""
    return Presslake(offline_presslake.home, {**offline_presslake.environment, **ALLOWED})


@pytest.fixture
def sites():
    """Three sites, and their addresses as users type them."""
    with running_press(sites=3, articles=2) as press:
        yield press, [f"{address}:{press.port}" for address in press.addresses]


def test_init_and_add_make_a_catalogue_of_three_sites(presslake, sites):
    press, addresses = sites

    presslake.run("init", "--contact", "https://us.example/bot", "--allow-network", "127.0.0.0/8", "--crawl-delay", "0")
    presslake.run("sources", "add", *addresses, "--write")

    catalogue = load_catalogue(presslake.home / "sources.yaml")
    assert [source.feeds for source in catalogue.sources] == [(press.url(n, "/feed.xml"),) for n in range(3)]
    assert catalogue.defaults.user_agent.endswith("(+https://us.example/bot)")
    assert {source.allow_networks for source in catalogue.sources} == {None}  # already in the defaults
    assert catalogue.defaults.crawl_delay_s == 0
    assert not (presslake.home / "index.db").exists()
    assert not presslake.lake.exists()


def test_init_accepts_sites_and_keeps_its_comments(presslake, sites):
    _, addresses = sites

    presslake.run("init", *addresses[:2])

    written = (presslake.home / "sources.yaml").read_text()
    assert len(load_catalogue(presslake.home / "sources.yaml").sources) == 2
    assert written.startswith("# The sources that Presslake follows.")
    assert "find a site's feeds" in written


def test_init_does_not_change_an_existing_catalogue(presslake):
    (presslake.home / "sources.yaml").write_text("sources: [{id: mine}]\n")

    ended = presslake.run("init", check=False)

    assert ended.code == 2
    assert "sources.yaml already exists" in ended.err
    assert (presslake.home / "sources.yaml").read_text() == "sources: [{id: mine}]\n"


@pytest.mark.parametrize(("flag", "value"), [("--contact", "Zoë"), ("--allow-network", "everything")])
def test_init_names_an_invalid_value_and_creates_nothing(presslake, flag, value):
    ended = presslake.run("init", flag, value, check=False)

    assert ended.code == 2
    assert ended.err.startswith(f"presslake: {flag}: ")
    assert list(presslake.home.iterdir()) == []


def test_an_empty_file_becomes_a_catalogue(presslake, sites):
    _, addresses = sites
    path = presslake.home / "sources.yaml"
    path.touch()  # as the shell does for `>> sources.yaml`

    path.write_text(presslake.run("sources", "add", addresses[0]).out)
    path.write_text(path.read_text() + presslake.run("sources", "add", addresses[1], "--tag", "local").out)

    assert [source.tags for source in load_catalogue(path).sources] == [(), ("local",)]


def test_a_known_site_is_reported_and_not_added_again(presslake, sites):
    _, addresses = sites
    presslake.run("sources", "add", addresses[0], "--write")

    ended = presslake.run("sources", "add", addresses[0], f"http://{addresses[0]}/feed.xml", "--write")

    assert ended.err.count("already in the catalogue as ") == 2
    assert "Nothing new." in ended.err
    assert len(load_catalogue(presslake.home / "sources.yaml").sources) == 1


def test_working_sources_are_written_despite_a_failing_one(presslake, sites):
    _, addresses = sites

    ended = presslake.run("sources", "add", "127.0.0.1:9", addresses[0], "--write", check=False)

    assert ended.code == 2
    assert "127.0.0.1:9: connect_failed: " in ended.err
    assert len(load_catalogue(presslake.home / "sources.yaml").sources) == 1


def test_an_error_for_a_private_address_names_the_setting(presslake):
    ended = presslake.run("sources", "add", "127.0.0.1:9", check=False, PRESSLAKE_ALLOW_NETWORKS="")

    assert "127.0.0.1 is an address outside the public internet" in ended.err
    assert "PRESSLAKE_ALLOW_NETWORKS" in ended.err


def test_networks_allowed_by_the_setting_are_written_into_the_source(presslake, sites):
    _, addresses = sites

    presslake.run("sources", "add", addresses[0], "--write")

    (source,) = load_catalogue(presslake.home / "sources.yaml").sources
    assert list(map(str, source.allow_networks or ())) == ["127.0.0.0/8"]


def test_the_country_of_new_sources_is_checked_before_anything_is_written(presslake, sites):
    _, addresses = sites

    ended = presslake.run("sources", "add", addresses[0], "--country", "Norway", "--write", check=False)

    assert ended.code == 2
    assert "--country: should be two letters" in ended.err
    assert list(presslake.home.glob("sources.yaml")) == []


def test_opml_is_imported_with_its_folders_and_skipped_entries_are_listed(presslake):
    (presslake.home / "mine.opml").write_text(LIST)

    ended = presslake.run("sources", "import", "mine.opml", "--write", "--country", "gb")

    sources = load_catalogue(presslake.home / "sources.yaml").sources
    assert [(one.id, one.tags, one.country) for one in sources] == [("daily", ("Local",), "GB"), ("weekly", (), "GB")]
    assert re.search(r"Broken +rss\.xml +", ended.err)


def test_importing_a_list_again_adds_nothing(presslake):
    (presslake.home / "mine.opml").write_text(LIST)
    presslake.run("sources", "import", "mine.opml", "--write")

    ended = presslake.run("sources", "import", "mine.opml", "--write")

    assert len(load_catalogue(presslake.home / "sources.yaml").sources) == 2
    assert "already in source daily" in ended.err
    assert "Nothing new." in ended.err


def test_a_source_without_feeds_and_a_shared_feed_are_warnings(presslake):
    (presslake.home / "sources.yaml").write_text(
        "sources: [{id: a}, {id: b, feeds: ['https://x.example/f']}, {id: c, feeds: ['https://x.example/f']}]\n"
    )

    ended = presslake.run("sources", "list")

    assert "3 sources, well-formed." in ended.out
    assert "warning: source a has nothing to read" in ended.err
    assert "warning: sources b and c share a feed" in ended.err
