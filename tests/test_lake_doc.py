"""docs/lake.md is true: its columns are those of the tables, and its Python examples, and README's, read a lake in a directory and on S3."""

import gzip
import json
import re
from pathlib import Path

import pytest

from tasks.index.outbox import OutboxItem
from tasks.lake.keys import warc_key
from tasks.lake.objects.stores import DirectoryStore, S3Config, open_lake
from tasks.lake.schemas import KINDS
from tasks.lake.tables import open_table
from tasks.lake.warc import SegmentWriter
from tasks.store.publishing import publish
from tests.columns_doc import defined_rows, told_rows
from tests.rows import FETCHED_AT, make_article, make_capture
from tests.servers import LakeAddress, make_bucket

ROOT = Path(__file__).parents[1]
DOC, README = ((ROOT / name).read_text(encoding="utf-8") for name in ("docs/lake.md", "README.md"))
BLOCKS = re.findall(r"```python\n(.*?)```", DOC + README, re.DOTALL)
HTML = b"<p>The harbour reopened on Monday.</p>"


def fill(store):
    """Make a lake with one article and its payload."""
    key = warc_key("b1", FETCHED_AT.date())
    segment = SegmentWriter(key, software="presslake/0", created_at=FETCHED_AT)
    ref = segment.add_exchange(
        url="https://daily.example/a",
        request_head=b"GET /a HTTP/1.1\r\nHost: daily.example\r\n\r\n",
        response_head=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n",
        body=gzip.compress(HTML, mtime=0),
        fetched_at=FETCHED_AT,
    )
    place = {"warc_key": key, "warc_offset": ref.offset, "warc_length": ref.length}
    open_lake(store)
    store.put(key, segment.to_bytes())
    item = OutboxItem(sequence=1, batch_id="b1", captures=(make_capture(**place),), articles=(make_article(**place),))
    publish([item], store=store, index_id="i")


def rows_read(names):
    """Return the number of rows that a code block has read, in any type of container."""
    return [
        len(names[name])
        for name in ("articles", "captures", "titles", "newest", "originals")
        if hasattr(names.get(name), "__len__")
    ]


@pytest.mark.parametrize("block", [block for block in BLOCKS if "s3://" not in block])
def test_the_examples_for_a_directory_read_a_lake(tmp_path, monkeypatch, block):
    fill(DirectoryStore(tmp_path / "lake"))
    monkeypatch.chdir(tmp_path)
    names = {}

    exec(block, names)

    assert names.get("html", HTML) == HTML
    assert rows_read(names) or "html" in names
    assert set(rows_read(names)) <= {1}


@pytest.mark.s3
@pytest.mark.parametrize("block", [block for block in BLOCKS if "s3://" in block])
def test_the_examples_for_s3_read_a_lake(moto_url, block):
    bucket = make_bucket(moto_url)
    fill(LakeAddress(f"s3://{bucket}/lake", S3Config(endpoint_url=moto_url)).open())
    names = {}

    exec(block.replace("my-bucket", bucket).replace("https://s3.example.org", moto_url), names)

    assert names.get("html", HTML) == HTML
    assert rows_read(names) or "html" in names
    assert set(rows_read(names)) <= {1}


@pytest.mark.parametrize("name", KINDS)
def test_the_columns_are_those_of_the_definition_with_their_types_and_meanings(name):
    assert told_rows(DOC, name) == defined_rows(name), "`make columns` writes them"


@pytest.mark.parametrize("name", KINDS)
def test_the_columns_are_the_tables(tmp_path, name):
    schema = json.loads(open_table(DirectoryStore(tmp_path), name).schema().to_json())

    assert [line.split(" | ")[:3] for line in told_rows(DOC, name)] == [
        [f"| {field['name']}", _type(field["type"]), "yes" if field["nullable"] else "no"] for field in schema["fields"]
    ]


def _type(delta):
    """Return a type from Delta's JSON as written on the page."""
    if isinstance(delta, str):
        return delta
    if delta["type"] == "array":
        return f"array<{_type(delta['elementType'])}>"
    columns = (f"{field['name']}: {_type(field['type'])}" for field in delta["fields"])
    return f"struct<{', '.join(columns)}>"
