"""moto's S3 server with serialised requests: python -m tests.moto_server PORT.

moto checks whether a key exists and then writes it, so two concurrent PUTs with If-None-Match may both succeed; real servers
let one win, which a lake needs. A request's body is received before the request waits for its turn.
"""

import signal
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from threading import Lock
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple


def main() -> None:
    """Serve until the process is killed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    application = DomainDispatcherApplication(create_backend_app)
    run_simple(
        "127.0.0.1", int(sys.argv[1]), _one_at_a_time(application), threaded=True, request_handler=MotoRequestHandler
    )


def _one_at_a_time(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    lock = Lock()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if size := environ.get("CONTENT_LENGTH"):
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(size)))
        with lock:
            return application(environ, start_response)

    return serve


if __name__ == "__main__":
    main()
