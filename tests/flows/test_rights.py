"""A sweep of pages with reserved rights."""

import pytest
from deltalake import DeltaTable

from tests.press import running_press

pytestmark = pytest.mark.engine


def test_an_obeying_source_stores_no_reserved_articles(presslake, tmp_path):
    with running_press(sites=3, articles=2, network=34) as press:
        for site in (0, 1, 2):
            path = next(iter(press.stories[site]))
            press.headers[site, path] = {"tdm-reservation": "1", "X-Robots-Tag": "noarchive"}
        catalogue = press.catalogue(tmp_path / "sources.yaml")
        text = catalogue.read_text().replace("  - id: site-0\n", "  - id: site-0\n    obey_tdm: true\n")
        obey = "  - id: site-2\n    purpose: [archive, ai-train]\n    obey: exclude\n"
        catalogue.write_text(text.replace("  - id: site-2\n", obey))

        summary = presslake.ingest("--catalogue", catalogue)

    rows = DeltaTable(str(presslake.lake / "articles")).to_pyarrow_table().to_pylist()
    captures = DeltaTable(str(presslake.lake / "captures")).to_pyarrow_table().to_pylist()
    [reserved] = [row for row in captures if row["reason"] == "tdm_reserved"]
    [refused] = [row for row in captures if row["reason"] == "rights_refused"]
    assert (summary["fetched"], summary["articles"]["new"]) == (4, 4)
    assert summary["skipped"] == {"tdm_reserved": 1, "rights_refused": 1}
    assert (refused["source_id"], refused["payload_size"]) == ("site-2", 0)
    assert all(row["policy_ids"] for row in rows)
    assert sorted((row["source_id"], row["tdm_reserved"], row["noarchive"]) for row in rows if row["tdm_reserved"]) == [
        ("site-1", True, True)
    ]
    assert (reserved["source_id"], reserved["warc_key"] is not None) == ("site-0", True)
    assert [press.hits[address, "/.well-known/tdmrep.json"] for address in press.addresses] == [1, 0, 1]
