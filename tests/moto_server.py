"""moto's S3 server, one request at a time: python -m tests.moto_server PORT.

moto looks whether a key is there and then writes it, so that two requests at once may both win a PUT with If-None-Match; real
servers let one win, and a lake needs that. A body is received before its request waits for its turn.
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
    """Serve until the process is ended."""
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
