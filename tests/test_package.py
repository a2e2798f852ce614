"""The package `presslake`: its names, its imports, and how it behaves next to foreign folders."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deltalake import DeltaTable

import presslake as package
from tasks.config.parameters import IngestConfig
from tasks.errors import ItemError, NotAnArticle
from tests.press import running_press

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs/python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOCUMENT, re.DOTALL)
EXAMPLES = [text for language, text in BLOCKS if language == "python"]
SWEEP = next(text for text in EXAMPLES if "import IngestConfig" in text)
PRINTED = next(text for language, text in BLOCKS if language == "text")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = """<html><head><title>Über die Fähre</title></head><body><article><h1>Über die Fähre</h1>
<p>Die Fähre fuhr am Sonntag wieder, vier Monate nach dem Schaden an ihrer Maschine im Sund.</p></article></body></html>"""


def run(*arguments, folder, **environment):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=plain | environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_example_of_one_page_prints_the_documented_output(capsys):
    exec(compile(EXAMPLES[0], "docs/python.md", "exec"), {})

    assert capsys.readouterr().out == PRINTED


@pytest.mark.engine
def test_the_example_of_a_sweep_sweeps(presslake, wheel):
    program = presslake.home / "sweep.py"
    with running_press(sites=1, articles=2) as press:
        program.write_text(SWEEP.replace("https://gazette.example/feed.xml", press.url(0, "/feed.xml")))

        done = run(
            program,
            folder=presslake.home,
            PYTHONPATH=str(wheel.folder),
            PRESSLAKE_ALLOW_NETWORKS="127.0.0.0/8",
            **presslake.variables,
        )

    assert done.returncode == 0, done.stderr
    assert DeltaTable(str(presslake.lake / "articles")).to_pyarrow_table().num_rows == 2


def test_the_package_has_exactly_the_documented_names():
    assert all(getattr(package, name) for name in package.__all__)
    assert package.IngestConfig is IngestConfig
    with pytest.raises(AttributeError, match="no attribute 'replay_all'"):
        _ = package.replay_all


def test_every_name_is_in_the_document():
    named = set(re.findall(r"`(\w+)(?:\(\w[\w, ]*\))?`", DOCUMENT.partition("## One page")[0]))

    assert set(package.__all__) <= named


def test_importing_it_and_extracting_imports_no_prefect():
    done = run(
        "-c",
        f"import presslake, sys; presslake.extract({PAGE!r}, 'https://a.example/1'); print('prefect' in sys.modules)",
        folder=ROOT,
    )

    assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_bytes_are_read_in_their_charset(charset):
    page = package.extract(
        PAGE.encode(charset), "https://a.example/1", content_type=f"text/html; charset={charset}", fetched_at=NOW
    )

    assert page.text.startswith("Die Fähre fuhr")


@pytest.mark.parametrize("html", ["", "<p></p>", b"\x00\x01", "<!-- -->"])
def test_a_page_without_article_is_one_error(html):
    with pytest.raises(NotAnArticle):
        package.extract(html, "https://a.example/1")


def test_a_page_that_is_too_large_is_not_parsed():
    with pytest.raises(ItemError, match="https://a.example/1"):
        package.extract("<p>x</p>" * 1_000_000, "https://a.example/1")


@pytest.mark.parametrize("name", ["flows", "tasks"])
@pytest.mark.parametrize("form", ["{name}.py", "{name}/__init__.py"])
def test_next_to_a_foreign_package_it_says_what_to_do(name, form, tmp_path):
    file = tmp_path / form.format(name=name)
    file.parent.mkdir(exist_ok=True)
    file.write_text("")

    done = run("-c", "import presslake", folder=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")

    assert done.returncode == 1
    assert (
        f"ImportError: Presslake needs its own package '{name}', in {ROOT}, and Python finds {tmp_path}" in done.stderr
    )
    assert "PYTHONSAFEPATH=1" in done.stderr


def test_the_module_is_the_command():
    done = run("-m", "presslake", "--version", folder=ROOT)

    assert done.stdout.strip().endswith(package.__version__)
