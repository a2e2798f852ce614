"""Whether something has a name in the file system: an error in plain words where this user may not look. Reads names only.

`Path.exists` and `Path.is_dir` raise PermissionError below a folder that nobody else may read, and OSError for a name that is
too long; from Python 3.14 on they say that nothing is there.
"""

import stat
from pathlib import Path

from tasks.errors import ConfigError


def is_there(path: Path) -> bool:
    """Return whether something has this name; raises ConfigError if that cannot be found out."""
    return _mode_of(path) is not None


def is_folder(path: Path) -> bool:
    """Return whether a folder has this name; raises ConfigError if that cannot be found out."""
    mode = _mode_of(path)
    return mode is not None and stat.S_ISDIR(mode)


def worded(error: OSError) -> str:
    """Return the reason of the operating system in plain words: `permission denied`."""
    return (error.strerror or str(error)).lower()


def _mode_of(path: Path) -> int | None:
    """Return the kind and the rights of what has this name, links followed; None if nothing has it."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{path}: {worded(error)}") from error
