"""Generate the column tables of docs/lake.md from the columns' definition; `python -m tests.columns_doc` writes them."""

from pathlib import Path

from tasks.lake.schemas import KINDS, table_columns

DOC = Path(__file__).parents[1] / "docs/lake.md"
HEAD = "| column | type | null | meaning |\n|---|---|---|---|\n"


def defined_rows(name: str) -> list[str]:
    """Return a table's columns as rows of Markdown."""
    return [
        f"| {one.name} | {one.type} | {'yes' if one.is_nullable else 'no'} | {one.meaning} |"
        for one in table_columns(name)
    ]


def told_rows(doc: str, name: str) -> list[str]:
    """Return the Markdown rows that the page has for a table."""
    return _parts(doc, name)[1].splitlines()


def rewritten(doc: str) -> str:
    """Return the page with its column tables regenerated."""
    for name in KINDS:
        before, _, after = _parts(doc, name)
        doc = before + "".join(f"{row}\n" for row in defined_rows(name)) + after
    return doc


def _parts(doc: str, name: str) -> tuple[str, str, str]:
    """Return the text before a table's rows, the rows, and the text after them."""
    start = doc.index(HEAD, doc.index(f"\n## {name}\n")) + len(HEAD)
    end = doc.index("\n\n", start) + 1
    return doc[:start], doc[start:end], doc[end:]


if __name__ == "__main__":
    DOC.write_text(rewritten(DOC.read_text(encoding="utf-8")), encoding="utf-8")
