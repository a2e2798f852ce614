"""The start of a cluster: a late start on a busy machine is retried, a failure is one clear line."""

import pytest

from flows.units.runners import RAY_ATTEMPTS, start_ray
from tasks.errors import ConfigError


class Ray:
    """A fake Ray that starts after some failures."""

    def __init__(self, failures: int) -> None:
        self.failures, self.started, self.ended = failures, 0, 0

    def init(self) -> None:
        self.started += 1
        if self.started <= self.failures:
            raise Exception("The current node timed out during startup.\nThis could happen.")  # noqa: TRY002 - as Ray does

    def shutdown(self) -> None:
        self.ended += 1


@pytest.mark.parametrize("failures", range(RAY_ATTEMPTS))
def test_a_late_start_of_ray_is_retried(failures):
    ray = Ray(failures)

    start_ray(ray.init, ray.shutdown)

    assert (ray.started, ray.ended) == (failures + 1, failures)


def test_a_ray_that_never_starts_is_one_clear_error():
    ray = Ray(RAY_ATTEMPTS)

    with pytest.raises(ConfigError, match="Ray did not start after 3 attempts: .*timed out during startup") as caught:
        start_ray(ray.init, ray.shutdown)

    assert "\n" not in str(caught.value)
    assert ray.ended == RAY_ATTEMPTS
