"""Whether this process has been asked to stop: set on Ctrl-C or SIGTERM, heeded by whatever takes long."""

import threading

stopping = threading.Event()
