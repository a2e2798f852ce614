from tests.verify.conftest import press, swept, swept_on_postgresql, world, world_on_postgresql  # noqa: F401
