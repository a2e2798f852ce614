"""The number of modules and types one URL passes through in a sweep, and of its parses."""

from tests.e2e.walk import sweep


async def test_a_url_passes_few_modules_in_few_forms_and_is_parsed_once_where_it_enters(tmp_path):
    walk = await sweep(tmp_path)

    assert len(walk.modules()) <= 30, sorted(walk.modules())
    assert len(walk.modules(aside=False)) <= 25, sorted(walk.modules(aside=False))
    assert len(walk.forms()) <= 9, sorted(walk.forms())
    assert len(walk.forms(aside=False)) <= 9, sorted(walk.forms(aside=False))
    assert walk.parses.total() <= 4, walk.parses
