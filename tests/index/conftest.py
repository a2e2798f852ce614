"""The instant at which the tests of the index happen; `index` is tests/postgres.py's."""

from datetime import UTC, datetime

import pytest

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW
