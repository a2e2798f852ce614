"""The documentation is complete and true: settings, commands and reasons match, links resolve, examples are valid."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import typer
import yaml

from flows.cli.app import app
from flows.server.defaults import DEFAULTS
from tasks import errors
from tasks.config.catalogue import Catalogue, Defaults, Extract, Selectors, Source
from tasks.config.settings import Settings
from tasks.discover import polling as discover_stage
from tasks.extract.prune import RULES
from tasks.reasons import REASONS, find_reason
from tasks.report.run_report import add_up
from tasks.values.reports import DiscoverReport

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for folder in (ROOT, ROOT / "docs", ROOT / "docs/adr") for path in folder.glob("*.md"))
SETTINGS = {f"PRESSLAKE_{name.upper()}": field for name, field in Settings.model_fields.items()}


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tabled_settings() -> dict[str, str]:
    """The rows of docs/settings.md: a setting, and the cell with its default."""
    return dict(re.findall(r"^\| `(PRESSLAKE_\w+)` \| ([^|]*?) \|", page("docs/settings.md"), re.MULTILINE))


def commands() -> Iterator[tuple[str, typer.core.TyperCommand]]:
    def walk(command, path):
        if hasattr(command, "commands"):
            for name, child in command.commands.items():
                yield from walk(child, [*path, name])
        else:
            yield " ".join(path), command

    return walk(typer.main.get_command(app), [])


def section_of(name: str) -> str:
    return page("docs/cli.md").partition(f"\n## `presslake {name}`\n")[2].partition("\n## ")[0]


def test_every_setting_is_in_the_docs_and_no_other():
    assert tabled_settings().keys() == SETTINGS.keys()


def test_no_page_names_an_unknown_setting():
    named = {
        name for path in PAGES for name in re.findall(r"PRESSLAKE_[A-Z0-9_]*[A-Z]", path.read_text(encoding="utf-8"))
    }

    assert named - SETTINGS.keys() <= {"PRESSLAKE_TEST_POSTGRES"}


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_the_defaults_of_settings_are_those_in_the_docs(name):
    default = SETTINGS[name].get_default()
    plain = ",".join(str(one) for one in default) if isinstance(default, tuple) else default
    plain = str(plain).lower() if isinstance(plain, bool) else plain

    told = tabled_settings()[name]

    if SETTINGS[name].default_factory is not None:
        assert "`" not in told  # it depends on the machine
    else:
        assert told.split(" (")[0] == (f"`{plain}`" if plain else "none")


def test_every_variable_of_prefect_that_we_set_is_in_the_docs():
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `(\w+)` \|", page("docs/settings.md"), re.MULTILINE))

    assert {name: rows.get(name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_has_its_section_with_its_options(name):
    command = dict(commands())[name]
    options = {option for one in command.params for option in one.opts if option.startswith("--")} - {"--help"}

    assert section_of(name)
    assert {option for option in options if f"`{option}" not in section_of(name)} == set()


def test_no_section_describes_an_unknown_command():
    told = set(re.findall(r"^## `presslake ([a-z ]+)`$", page("docs/cli.md"), re.MULTILINE))

    assert told == {name for name, _ in commands()}


def test_the_json_in_the_docs_has_the_fields_of_the_report():
    (block,) = re.findall(r"```json\n(.*?)```", page("docs/cli.md"), re.DOTALL)
    report = add_up(run_id="r", discovered=DiscoverReport(), batches=(), pending=0, seconds=0.0, fell_short=None)

    told, real = json.loads(block), report.to_json()

    assert list(told) == list(real)
    assert told["articles"].keys() == real["articles"].keys()


def told_reasons() -> set[tuple[str, str]]:
    return set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page("docs/failures.md"), re.MULTILINE))


def test_the_reasons_in_the_docs_are_those_of_the_table_with_their_dispositions():
    table = {(one.name, one.disposition.value) for one in REASONS.values()} - {("not_a_feed", "dropped")}

    assert {(name, becomes) for name, becomes in told_reasons() if not name.startswith("http_")} == table


def test_the_docs_on_statuses_are_true():
    statuses = {(name, becomes) for name, becomes in told_reasons() if name.startswith("http_")}

    assert statuses == {(name, find_reason(name).disposition) for name, _ in statuses}


def test_every_reason_of_feeds_alone_is_in_the_docs():
    feeds = {discover_stage.EMPTY, discover_stage.DEFERRED, f"feed_{errors.NotAFeed.reason}"}

    assert {one for one in feeds if f"`{one}`" not in page("docs/failures.md")} == set()


@pytest.mark.parametrize("model", [Catalogue, Defaults, Source, Extract, Selectors])
def test_every_field_of_the_catalogue_is_in_the_docs(model):
    assert {name for name in model.model_fields if f"`{name}`" not in page("docs/catalogue.md")} == set()


def test_every_rule_of_pruning_is_in_the_docs_with_its_reason():
    rows = {f"| `{rule.name}` | {rule.reason} |" for rule in RULES}

    assert {row for row in rows if row not in page("docs/catalogue.md")} == set()


@pytest.mark.parametrize("name", ["README.md", "docs/catalogue.md"])
def test_the_catalogues_in_the_docs_are_valid(name):
    blocks = [yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", page(name), re.DOTALL)]

    read = [Catalogue.model_validate(one) for one in blocks if one]

    assert read


def test_every_package_is_in_the_layers_of_the_architecture():
    rooms = {
        f"`{path.parent.relative_to(ROOT)}/`"
        for path in [*ROOT.glob("flows/*/__init__.py"), *ROOT.glob("tasks/*/__init__.py")]
    }

    assert rooms
    assert {room for room in rooms if room not in page("docs/architecture.md")} == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_somewhere(path):
    links = re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", path.read_text(encoding="utf-8"))

    assert [link for link in links if not _leads_somewhere(path, link)] == []


def test_no_tracked_file_names_a_path_of_one_machine():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    pattern = re.compile(r"(?<![\w.~}*-])/(?:work|root|tmp/h)(?:/[\w.]|[\s`'\"]|$)", re.MULTILINE)

    assert [str(path) for path in _texts() if pattern.search(path.read_text(encoding="utf-8"))] == []


def _leads_somewhere(path: Path, link: str) -> bool:
    file, _, anchor = link.partition("#")
    target = (path.parent / file).resolve() if file else path
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in _anchors(target.read_text(encoding="utf-8").splitlines())


def _anchors(lines: Iterable[str]) -> set[str]:
    """The anchors of headings, as GitHub generates them."""
    titles = (line.lstrip("#").strip().lower() for line in lines if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def _texts() -> Iterator[Path]:
    """The text files of the project, without test pages."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=30,
    )
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file() and not name.startswith("tests/data/"):
            try:
                path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            yield path
