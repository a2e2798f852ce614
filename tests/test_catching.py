"""Where `Exception` is caught: our own faults must not be hidden."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODE = sorted(path for folder in ("flows", "tasks") for path in (ROOT / folder).rglob("*.py"))
GUARD = ROOT / "tasks" / "runtime" / "guarding.py"


def caught_broadly(path):
    """The lines that catch `Exception`, or everything, without re-raising."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            names = (
                {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)} if node.type else {"BaseException"}
            )
            raises = any(isinstance(one, ast.Raise) and one.exc is None for one in ast.walk(node))
            if "Exception" in names or ("BaseException" in names and not raises):
                yield node.lineno


def test_no_other_module_catches_exception():
    assert {path: lines for path in CODE if path != GUARD and (lines := list(caught_broadly(path)))} == {}


def test_the_guard_catches_it_once():
    assert len(list(caught_broadly(GUARD))) == 1


def test_no_line_is_exempt_from_the_rule():
    assert [path for path in CODE if "BLE001" in path.read_text()] == []
