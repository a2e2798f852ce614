"""An S3 server that kills who asks it, at the n-th time that something is written: just before that, or just after."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.e2e.flaky_s3 import _Handler, _Server
