from datetime import UTC, date, datetime

import pytest

from tasks.lake.keys import ARTICLES, data_path, parquet_key, quarantine_key, warc_key

DAY = date(2026, 3, 1)


def test_a_segments_key_has_its_day_and_batch():
    assert warc_key("b1", DAY) == "warc/dt=2026-03-01/b1.warc.gz"


def test_a_data_files_key_is_its_path_in_the_log():
    assert parquet_key(ARTICLES, DAY, "b1", 7) == f"articles/{data_path(DAY, 'b1', 7)}"


def test_a_data_files_name_has_its_batch_and_sequence():
    assert data_path(DAY, "b1", 7) == "dt=2026-03-01/b1-7.parquet"


def test_a_quarantine_key_has_the_captures_position_in_the_batch():
    assert quarantine_key("b1", 3, DAY) == "quarantine/dt=2026-03-01/b1-3.json"


def test_a_time_gives_the_same_key_as_its_day():
    assert warc_key("b1", datetime(2026, 3, 1, 23, 59, tzinfo=UTC)) == warc_key("b1", DAY)


@pytest.mark.parametrize("batch_id", ["", "..", ".hidden", "a/b", "a\\b", "a b", "a\n", "é", "a%2fb", "a" * 129])
def test_an_unsafe_id_is_refused(batch_id):
    with pytest.raises(ValueError, match="not an id for a key"):
        warc_key(batch_id, DAY)


def test_an_unknown_table_is_refused():
    with pytest.raises(ValueError, match="no table"):
        parquet_key("warc", DAY, "b1", 7)
