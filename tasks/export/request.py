"""The parameters of an export. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tasks.values.rights import Purpose


class Format(StrEnum):
    """The file formats of an export."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    CSV = "csv"
    WARC = "warc"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """The choices for one export: `where` is an SQL expression over the columns; `out` is the folder to create.

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
        """The view from which the rows come."""
        return "latest" if self.is_latest else "articles"
