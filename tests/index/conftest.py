"""The current time of the index tests; the fixture `index` is in tests/postgres.py."""

from datetime import UTC, datetime

import pytest

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW
