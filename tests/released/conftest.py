"""A fresh copy of each released version's data, with each kind of index."""

from pathlib import Path

import pytest

from tests.released.specimen import VERSIONS, Specimen, copy_files, load_dump


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["sqlite", "postgresql"])
def specimen(version: str, request: pytest.FixtureRequest, tmp_path: Path) -> Specimen:
    home = tmp_path / "released"
    copy_files(version, home)
    if request.param == "sqlite":
        return Specimen(version, home, f"sqlite:///{home / 'index.sqlite'}")
    index_url = request.getfixturevalue("postgres_url")
    load_dump(version, index_url)
    return Specimen(version, home, index_url)
