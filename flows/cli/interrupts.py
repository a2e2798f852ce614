"""Send a Ctrl-C again that Python dropped.

Python drops an exception that a signal handler raises within a finalizer or a C callback, and the command would go on.
"""

import signal
import sys
import threading

AGAIN_AFTER_S = 0.05
"""Seconds to wait until the finalizer has ended, which usually takes microseconds."""


def send_dropped_interrupts_again() -> None:
    """From now on, interrupt this process again whenever Python drops a KeyboardInterrupt; report other drops as before."""
    show, main_thread = sys.unraisablehook, threading.main_thread().ident

    def send_again(dropped: "sys.UnraisableHookArgs") -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            show(dropped)
            return
        again = threading.Timer(AGAIN_AFTER_S, signal.pthread_kill, (main_thread, signal.SIGINT))
        again.daemon = True
        again.start()

    sys.unraisablehook = send_again
