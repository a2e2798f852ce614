import pytest

from flows.sweep.clock import SweepClock


class Time:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def clock(time, **shares):
    return SweepClock(100.0, shares, now_s=time)


def test_a_sweep_is_over_after_its_time_budget():
    time = Time()
    sweep = clock(time, a=0.5, b=0.5)

    time.now_s = 99.9
    before = sweep.is_over
    time.now_s = 100.0

    assert (before, sweep.is_over) == (False, True)
    assert list(sweep.limits(7)) == ["PRESSLAKE_SWEEP_S reached (100 s), 7 URLs stay pending"]


def test_a_batch_is_charged_to_the_sources_of_its_urls():
    time = Time()
    sweep = clock(time, a=0.5, b=0.5)

    time.now_s = 40.0
    sweep.note(["a", "a", "a", "b"])

    assert dict(sweep.spent_s) == {"a": 30.0, "b": 10.0}


@pytest.mark.parametrize(
    ("shares", "over"), [({"a": 0.5, "b": 0.5}, {"a"}), ({"a": 0.5}, set()), ({"a": 1.0, "b": 0.1}, set())]
)
def test_a_source_over_its_share_waits_unless_it_is_the_only_one(shares, over):
    time = Time()
    sweep = clock(time, **shares)

    time.now_s = 60.0
    sweep.note(["a"] * 9)

    assert sweep.over_share() == over
    assert bool(list(sweep.limits(0))) is bool(over)
