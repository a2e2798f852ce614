"""Options that several commands share, and how commands print errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.saying import WHOLE, be_quiet, say, say_error
from tasks.errors import ConfigError, PresslakeError

INTERRUPTED = 130
RUN_FAILED, WRONG_USAGE = 1, 2


def _hush(is_asked: bool) -> bool:
    if is_asked:
        be_quiet()
    return is_asked


def _complete_source(incomplete: str) -> list[str]:
    """Return the source ids that begin with the text, for the shell's completion; none if the catalogue cannot be read."""
    from tasks.config.loading import load_catalogue
    from tasks.config.settings import load_settings

    try:
        ids = [source.id for source in load_catalogue(load_settings().catalogue).sources]
    except ConfigError:
        return []
    return [source_id for source_id in ids if source_id.startswith(incomplete)]


SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", autocompletion=_complete_source, help="Only this source; repeatable."),
]
CatalogueOption = Annotated[
    Path | None, typer.Option("--catalogue", help="Catalogue file [PRESSLAKE_CATALOGUE, sources.yaml].")
]
LakeOption = Annotated[
    str | None, typer.Option("--lake", help="A directory, or s3://bucket/prefix [PRESSLAKE_LAKE, lake].")
]
IndexOption = Annotated[
    str | None, typer.Option("--index", help="A database URL [PRESSLAKE_INDEX, sqlite:///presslake.db].")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", callback=_hush, help="Print only errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of standard output.")]


@contextmanager
def one_clear_line() -> Iterator[None]:
    """Turn our own errors into one line on standard error and an exit code: 1 run failed, 2 wrong usage, 130 interrupted."""
    try:
        yield
    except ConfigError as error:
        say_error(error)
        raise typer.Exit(WRONG_USAGE) from error
    except PresslakeError as error:
        say_error(error)
        raise typer.Exit(RUN_FAILED) from error
    except ValueError as error:
        say_error(ConfigError(_of_prefects_settings(error)))
        raise typer.Exit(WRONG_USAGE) from error
    except KeyboardInterrupt as error:
        say(f"Interrupted: {WHOLE}.")
        raise typer.Exit(INTERRUPTED) from error


def _of_prefects_settings(error: ValueError) -> str:
    """Return the message for a wrong setting of Prefect's, read when it is imported; raise any other error again."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError) or not error.title.endswith("Settings"):
        raise error
    first = error.errors()[0]
    name = ".".join(map(str, first["loc"])) or "PREFECT_API_URL"
    return f"a setting of Prefect is wrong ({error.title}, {name}): {first['msg']}"
