"""The environment of the tests: this machine's, without the developer's own settings."""

import atexit
import os
import tempfile

SETTINGS_OF = ("PRESSLAKE_", "PREFECT_", "AWS_", "OTEL_")
PROXIES = {"http_proxy", "https_proxy", "all_proxy"}
OF_THE_TESTS = {"PRESSLAKE_TEST_POSTGRES", "PRESSLAKE_PICTURES"}


def leave_settings_out() -> None:
    """Remove variables that would affect the tests from this process's environment, before Prefect reads it.

    Prefect gets an empty home: the developer's may name a server, or may not exist.
    """
    for name in [*os.environ]:
        if (name.startswith(SETTINGS_OF) and name not in OF_THE_TESTS) or name.lower() in PROXIES:
            del os.environ[name]
    home = tempfile.TemporaryDirectory(prefix="prefect-", ignore_cleanup_errors=True)
    atexit.register(home.cleanup)
    os.environ["PREFECT_HOME"] = home.name
