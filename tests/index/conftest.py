"""An index of its own for each test, at the newest schema."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.index.database import Index, open_index

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def index_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'index.db'}"


@pytest.fixture
def index(index_url: str) -> Iterator[Index]:
    with open_index(index_url) as opened:
        yield opened


@pytest.fixture
def now() -> datetime:
    return NOW
