"""Automations as code: apply a folder of definitions to Prefect's server. Idempotent.

They notify through a block, named `type/slug`. Only the block holds the secret URL.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import yaml
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from prefect.types import SecretDict
from pydantic import ValidationError

from tasks.errors import ConfigError, ServerUnavailable

if TYPE_CHECKING:
    from uuid import UUID

DEFINITIONS = Path("deploy/automations")
FLOWS = ("ingest", "backfill", "replay", "maintain", "verify", "forget", "report")
WEBHOOK_TYPE = "custom-webhook"
LEAST_HEARTBEATS = 3
NOBODY = "00000000-0000-0000-0000-000000000000"
"""The block id that stands in for the block in a dry run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One automation and its result: created, updated or unchanged; in a dry run, the expected result."""

    name: str
    became: str
    description: str


def read_definitions(folder: Path, values: Mapping[str, object]) -> tuple[AutomationCore, ...]:
    """Return the automations of a folder, one YAML file each, with `$name` replaced from `values`.

    Raises ConfigError if the folder has no definitions, or if one is wrong.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError(f"{folder}: no automation definitions found; set their folder with --definitions")
    return tuple(_read(file, values) for file in files)


def check_interval(stuck_after_s: int) -> None:
    """Raise ConfigError if `stuck_after_s` is under `LEAST_HEARTBEATS` heartbeat intervals."""
    every_s = get_current_settings().flows.heartbeat_frequency
    if every_s is None or stuck_after_s < LEAST_HEARTBEATS * every_s:
        raise ConfigError(
            f"--stuck-after {stuck_after_s}: a live run sends a heartbeat every {every_s} s "
            f"(PREFECT_FLOWS_HEARTBEAT_FREQUENCY), so less than {LEAST_HEARTBEATS} times that would kill live runs"
        )


def apply(folder: Path, *, block: str, webhook_url: str | None, stuck_after_s: int, is_dry: bool) -> Iterator[Applied]:
    """Apply the definitions to the server, one after another, and yield the result of each.

    A `webhook_url` is first stored in the block, which is created if necessary. Raises ConfigError if a definition or the block
    is wrong, ServerUnavailable if the server does not answer.
    """
    check_interval(stuck_after_s)
    values = {"block": NOBODY, "stuck_after_s": stuck_after_s, "flows": list(FLOWS)}
    read_definitions(folder, values)  # report a mistake in one before any other is applied
    try:
        with get_client(sync_client=True) as client:
            block_id = _block_id(client, block, webhook_url, is_dry=is_dry)
            for wanted in read_definitions(folder, values | {"block": str(block_id or NOBODY)}):
                yield _apply_one(client, wanted, is_dry=is_dry)
    except httpx.TransportError as error:
        raise ServerUnavailable(f"the Prefect server does not answer: {error}") from error


def _read(file: Path, values: Mapping[str, object]) -> AutomationCore:
    try:
        defined = yaml.safe_load(file.read_text(encoding="utf-8"))
        return AutomationCore.model_validate(_filled(defined, values))
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except KeyError as error:
        raise ConfigError(f"{file}: {error.args[0]} is none of {', '.join(f'${name}' for name in values)}") from error


def _filled(value: Any, values: Mapping[str, object]) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(value, dict):
        return {name: _filled(item, values) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, str) and value.startswith("$"):
        if value[1:] not in values:
            raise KeyError(value)
        return values[value[1:]]
    return value


def _block_id(client: SyncPrefectClient, block: str, webhook_url: str | None, *, is_dry: bool) -> "UUID | None":
    """Return the id of the block to notify. Checked here: the server also accepts an id that does not exist."""
    kind, _, name = block.partition("/")
    if not kind or not name:
        raise ConfigError(f"--block {block!r}: name it as type/name, such as {WEBHOOK_TYPE}/presslake")
    if webhook_url is not None:
        if kind != WEBHOOK_TYPE:
            raise ConfigError(f"--webhook makes a block of the type {WEBHOOK_TYPE}, and --block names one of {kind}")
        if not webhook_url.startswith(("http://", "https://")):
            raise ConfigError("--webhook: not an http or https URL")
        if is_dry:
            return None
        _webhook(name, webhook_url).save(name, overwrite=True)
    try:
        return client.read_block_document_by_name(name, kind).id
    except ObjectNotFound as error:
        raise ConfigError(
            f"--block {block}: the Prefect server has no such block; make one in its UI, or here with --webhook URL"
        ) from error


def _webhook(name: str, url: str) -> CustomWebhookNotificationBlock:
    """Return a block that posts notifications to a URL; the URL is stored as a secret, since it often contains one."""
    return CustomWebhookNotificationBlock(
        name=name,
        url="{{webhook_url}}",
        json_data={"subject": "{{subject}}", "body": "{{body}}", "text": "{{subject}}\n{{body}}"},
        secrets=SecretDict({"webhook_url": url}),
    )


def _apply_one(client: SyncPrefectClient, wanted: AutomationCore, *, is_dry: bool) -> Applied:
    known = client.read_automations_by_name(wanted.name)
    for extra in known[1:] if not is_dry else ():
        client.delete_automation(extra.id)
    if not known:
        became = "created"
        if not is_dry:
            client.create_automation(wanted)
    elif _comparable(known[0]) == _comparable(wanted):
        became = "unchanged"
    else:
        became = "updated"
        if not is_dry:
            kept = wanted.model_copy(update={"enabled": known[0].enabled})
            client.update_automation(known[0].id, kept)
    return Applied(name=wanted.name, became=became, description=wanted.description)


def _comparable(automation: AutomationCore | Automation) -> dict[str, Any]:
    """Return the parts of a definition to compare: all but `enabled`, since a user may have paused the automation."""
    return AutomationCore.model_validate(automation.model_dump()).model_dump(exclude={"enabled", "owner_resource"})
