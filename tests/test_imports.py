"""The imports of programs outside the package resolve: the demo, the examples, the benchmarks, deploy/, and code in docs."""

import ast
import json
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("tasks", "flows", "presslake", "benchmarks", "examples", "deploy", "tests")
FOLDERS = ("benchmarks", "deploy", "examples")
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def sources() -> dict[str, str]:
    """Return the programs, by name: files, cells of notebooks, and blocks in docs."""
    found = {str(path.relative_to(ROOT)): path.read_text() for name in FOLDERS for path in (ROOT / name).rglob("*.py")}
    for path in ROOT.glob("examples/*.ipynb"):
        cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        found |= {f"{path.name}#{number}": "".join(cell["source"]) for number, cell in enumerate(cells)}
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")):
        blocks = PYTHON.findall(path.read_text())
        found |= {f"{path.relative_to(ROOT)}#{number}": text for number, text in enumerate(blocks)}
    return found


def missing(text: str) -> list[str]:
    """Return a program's imports from our packages that do not resolve: modules, and names in modules."""
    nodes = list(ast.walk(ast.parse(text)))
    modules = {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
    named = {
        (node.module or "", one.name)
        for node in nodes
        if isinstance(node, ast.ImportFrom) and not node.level
        for one in node.names
    }
    modules |= {module for module, _ in named}
    gone = {one for one in modules if one.partition(".")[0] in OURS and find_spec(one) is None}
    return sorted(gone) + sorted(
        f"{module}.{name}"
        for module, name in named
        if module.partition(".")[0] in OURS and module not in gone and not _has(module, name)
    )


def _has(module: str, name: str) -> bool:
    return hasattr(import_module(module), name) or find_spec(f"{module}.{name}") is not None


@pytest.mark.parametrize("name", sources())
def test_every_import_of_our_modules_resolves(name):
    text = sources()[name]
    try:
        gone = missing(text)
    except SyntaxError:
        pytest.fail(f"{name} is no Python")

    assert gone == []
