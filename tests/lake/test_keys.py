from datetime import UTC, date, datetime

import pytest

from tasks.lake.keys import ARTICLES, data_path, parquet_key, quarantine_key, warc_key

DAY = date(2026, 3, 1)


def test_a_segment_lies_under_its_day_and_batch():
    assert warc_key("b1", DAY) == "warc/dt=2026-03-01/b1.warc.gz"


def test_a_data_file_lies_in_its_table_at_the_path_that_the_log_says():
    assert parquet_key(ARTICLES, DAY, "b1", 7) == f"articles/{data_path(DAY, 'b1', 7)}"


def test_a_data_file_is_named_for_its_batch_and_sequence():
    assert data_path(DAY, "b1", 7) == "dt=2026-03-01/b1-7.parquet"


def test_a_quarantined_capture_has_its_place_in_the_batch():
    assert quarantine_key("b1", 3, DAY) == "quarantine/dt=2026-03-01/b1-3.json"


def test_an_instant_is_as_good_as_its_day():
    assert warc_key("b1", datetime(2026, 3, 1, 23, 59, tzinfo=UTC)) == warc_key("b1", DAY)


@pytest.mark.parametrize("batch_id", ["", "..", ".hidden", "a/b", "a\\b", "a b", "a\n", "é", "a%2fb", "a" * 129])
def test_an_id_that_is_not_plain_makes_no_key(batch_id):
    with pytest.raises(ValueError, match="not an id for a key"):
        warc_key(batch_id, DAY)


def test_a_table_that_the_lake_has_not_makes_no_key():
    with pytest.raises(ValueError, match="no table"):
        parquet_key("warc", DAY, "b1", 7)
