"""How pytest-xdist distributes tests over its workers: whole files, with waiting and computing tests side by side.

A file stays together because of its fixtures, and so do files that share a single resource. Long tests mostly wait for servers,
so half of the workers start with those, the others with the quick ones, which compute.
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
"""The resource shared by files and folders, which one worker therefore runs."""

LONGEST = "tests/flows/test_forget_everywhere.py"
"""A test of over a minute, mostly waiting: started last, it would outlast all others."""

LONG = ("browser", "engine", "crash")
"""Marks of tests that are long or mostly wait; they start first."""


class ByFile(LoadScopeScheduling):
    """Assign files to workers: to every other worker from the front of the queue, to the rest from its end."""

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
    config.option.loadscopereorder = False  # the longest file is not the one with the most tests
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order tests equally in all workers: the longest, then files that share a resource, then files with long tests.

    Without workers, pytest's order is kept.
    """
    if hasattr(config, "workerinput"):
        first = {item.path for item in items if any(item.get_closest_marker(name) for name in LONG)}
        items.sort(
            key=lambda item: (not item.nodeid.startswith(LONGEST), _shared(item.nodeid) is None, item.path not in first)
        )
