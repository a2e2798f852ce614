"""Check whether paths exist, with a plain error if this user may not look. Reads no file.

`Path.exists` and `Path.is_dir` raise PermissionError below an unreadable folder, and OSError for a name that is too long;
from Python 3.14 on they return False.
"""

import stat
from pathlib import Path

from tasks.errors import ConfigError


def is_there(path: Path) -> bool:
    """Whether a path exists; raises ConfigError if that cannot be determined."""
    return _mode_of(path) is not None


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; raises ConfigError if that cannot be determined."""
    mode = _mode_of(path)
    return mode is not None and stat.S_ISDIR(mode)


def worded(error: OSError) -> str:
    """Return the operating system's reason in lower case: `permission denied`."""
    return (error.strerror or str(error)).lower()


def _mode_of(path: Path) -> int | None:
    """Return the mode bits of a path, following links; None if it does not exist."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{path}: {worded(error)}") from error
