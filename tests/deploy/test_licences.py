"""The licences of the installed packages."""

import pytest

from deploy.licences import licence, needs_a_look, packages


@pytest.mark.parametrize(
    "stated",
    ["MIT", "BSD-3-Clause", "Apache-2.0 OR GPL-3.0-only", "MPL-2.0 AND MIT", "Mozilla Public License 2.0 (MPL 2.0)"],
)
def test_an_accepted_licence_needs_no_review(stated):
    assert not needs_a_look("some-package", stated)


@pytest.mark.parametrize(
    "stated", ["", "GPL-3.0-only", "AGPL-3.0 AND MIT", "Proprietary", "Submit to us", "Permission denied"]
)
def test_an_unknown_licence_needs_review(stated):
    assert needs_a_look("some-package", stated)


def test_no_dependency_needs_review():
    found = packages("presslake")

    assert {"prefect", "trafilatura", "anyio"} <= set(found)
    assert [name for name in found if needs_a_look(name, licence(found[name]))] == []
