"""Documents of sites in the index, by their forms."""

from datetime import UTC, datetime

from tasks.index import policies
from tasks.values.rights import FORM_LENGTH, returned_id
from tasks.values.rows import Policy

AT = datetime(2026, 3, 1, tzinfo=UTC)
FIRST, BACK, OTHER = "a" * 32, "b" * 32, "c" * 32


def document(policy_id):
    return Policy(
        policy_id=policy_id, origin="https://a.example", kind="robots", url="https://a.example/robots.txt", observed_at=AT,
        last_seen_at=AT, valid_until=None, status=200, body_digest="sha256:0", warc_key="warc/a", warc_offset=0,
        warc_length=1, statements=(),
    )  # fmt: skip


def test_a_form_is_known_at_whichever_turn_its_document_was_met(index):
    with index.write() as tx:
        policies.remember(tx, [document(FIRST), document(returned_id(BACK, "12345678"))])

        assert policies.known_forms(tx, [FIRST, BACK, OTHER]) == {"a" * FORM_LENGTH, "b" * FORM_LENGTH}
        assert policies.known_forms(tx, []) == set()
