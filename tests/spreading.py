"""The scheduling of tests over pytest-xdist workers: one file at a time, waiting tests in parallel with computing ones.

A file stays together because of its fixtures, and so do files that share a unique resource. Long tests mostly wait for
servers, so half of the workers begin with those, the others with fast, computing ones.
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
"""The groups of files and folders that share a resource, so that one worker runs them all."""

LONGEST = "tests/flows/test_forget_everywhere.py"
"""Tests of more than a minute, mostly waiting; they start first, so that they do not end last."""

LONG = ("browser", "engine", "crash")
"""The marks of tests that are long or wait; they go first."""


class ByFile(LoadScopeScheduling):
    """Give each worker one file after the other: every other worker from the front of the queue, the rest from its end."""

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
    """Sort the tests: the longest first, then those that one worker must run, then files with long tests; the same order in all workers.

    Without workers, pytest's order is kept.
    """
    if hasattr(config, "workerinput"):
        first = {item.path for item in items if any(item.get_closest_marker(name) for name in LONG)}
        items.sort(
            key=lambda item: (not item.nodeid.startswith(LONGEST), _shared(item.nodeid) is None, item.path not in first)
        )
