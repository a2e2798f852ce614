"""What is asked of an export. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tasks.values.rights import Purpose


class Format(StrEnum):
    """What the articles are written as."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    CSV = "csv"
    WARC = "warc"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """The choices for one export: `where` is an expression of SQL over the columns; `out` becomes a folder.

    With a `purpose`, articles that are refused for it, or have a price, are left out.
    """

    format: Format
    out: Path
    is_latest: bool = False
    where: str | None = None
    is_forced: bool = False
    purpose: Purpose | None = None

    @property
    def view(self) -> str:
        """The view that the rows are of."""
        return "latest" if self.is_latest else "articles"
