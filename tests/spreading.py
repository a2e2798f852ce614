"""How pytest-xdist spreads the tests over its workers: a file at a time, what waits for other processes beside what computes.

A file stays together for the sake of its fixtures, and so do files that share what there is one of. The long tests wait for
servers most of their time. So half of the workers begin with those, the others with the quick ones, which compute.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TOGETHER = {
    "tests/verify/": "a world of two sweeps, that takes long to make",
    "tests/maintain/": "a world of two sweeps, that takes long to make",
    "tests/released/": "the addresses of a press, at which one test at a time can listen",
    "tests/deploy/test_prefect_yaml.py": "the deployments and automations of the one Prefect server",
    "tests/flows/test_enriching.py": "the deployments and automations of the one Prefect server",
    "tests/flows/test_notifying.py": "the deployments and automations of the one Prefect server",
    "tests/flows/test_shards.py": "the deployments and automations of the one Prefect server",
    "tests/flows/test_watching.py": "the deployments and automations of the one Prefect server",
}
"""What files and folders share, so that one worker runs them all."""

LONGEST = "tests/flows/test_forget_everywhere.py"
"""One test of more than a minute, nearly all of it waiting: at the end the others would be done before it."""

LONG = ("browser", "engine", "crash")
"""Marks of the tests that take long, or wait for others; they go first."""


class ByFile(LoadScopeScheduling):
    """Give a worker one file after the other: every other worker from the front of what is left, the rest from its end."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self.nodes.index(node) % 2:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        return _shared(nodeid) or nodeid.split("::", 1)[0]


def _shared(nodeid: str) -> str | None:
    return next((shared for path, shared in TOGETHER.items() if nodeid.startswith(path)), None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    config.option.loadscopereorder = False  # the longest file is not the one of the most tests
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest first, then what one worker must run alone, then the files with long tests; alike in all workers.

    Alone, pytest keeps its order.
    """
    if hasattr(config, "workerinput"):
        first = {item.path for item in items if any(item.get_closest_marker(name) for name in LONG)}
        items.sort(
            key=lambda item: (not item.nodeid.startswith(LONGEST), _shared(item.nodeid) is None, item.path not in first)
        )
