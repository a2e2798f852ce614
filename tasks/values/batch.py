"""Batches: looks that are fetched, extracted and decided together. Pure."""

from dataclasses import dataclass

from tasks.values.look import Look
from tasks.values.rows import Capture, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Looks at URLs over many hosts; a stage returns the batch with its looks further on, in the same order.

    `policies` are the documents of its sites that its segment has, since the lake had them not when they were fetched.
    """

    batch_id: str
    run_id: str
    looks: tuple[Look, ...]
    policies: tuple[Policy, ...] = ()

    @property
    def captured(self) -> tuple[Look, ...]:
        """The looks at URLs that were asked for."""
        return tuple(look for look in self.looks if look.capture is not None)

    @property
    def captures(self) -> tuple[Capture, ...]:
        """The rows of the captures table so far."""
        return tuple(look.capture for look in self.looks if look.capture is not None)
