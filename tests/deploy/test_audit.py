"""The verdict on pip-audit's output: nothing passes silently."""

import pytest

from deploy.audit import verdict

CLEAN = {"name": "lxml", "version": "6.1", "vulns": []}
SKIPPED = {"name": "httpx", "skip_reason": "Dependency not found on PyPI and could not be audited"}
BROKEN = {"name": "idna", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}


@pytest.mark.parametrize(
    ("answer", "strict", "lenient"),
    [
        ([CLEAN], 0, 0),
        ([CLEAN, BROKEN], 1, 1),
        ([SKIPPED, BROKEN], 1, 1),
        ([CLEAN, SKIPPED], 2, 0),
        ("Failed to resolve", 2, 0),
    ],
)
def test_the_exit_code_distinguishes_vulnerabilities_from_an_unreachable_service(answer, strict, lenient):
    assert verdict(answer, offline_ok=False)[0] == strict
    assert verdict(answer, offline_ok=True)[0] == lenient


@pytest.mark.parametrize("answer", [[CLEAN, SKIPPED], "Failed to resolve"])
def test_skipped_lookups_are_reported_even_if_tolerated(answer):
    _, lines = verdict(answer, offline_ok=True)

    assert any(line.startswith("NOT AUDITED") for line in lines)
