"""Batches: looks that are fetched, extracted and deduplicated together. Pure."""

from dataclasses import dataclass

from tasks.values.look import Look
from tasks.values.rows import Capture, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Looks at URLs of many hosts. Each stage returns the batch with its looks completed further, in the same order.

    `policies` are the policy documents in its segment, which the lake did not have at the time of the fetch.
    """

    batch_id: str
    run_id: str
    looks: tuple[Look, ...]
    policies: tuple[Policy, ...] = ()

    @property
    def captured(self) -> tuple[Look, ...]:
        """The looks at URLs that were fetched."""
        return tuple(look for look in self.looks if look.capture is not None)

    @property
    def captures(self) -> tuple[Capture, ...]:
        """The rows of the captures table so far."""
        return tuple(look.capture for look in self.looks if look.capture is not None)
