"""A Ctrl-C that Python drops is sent again.

Python drops an exception that a signal raises within a finalizer or a callback of C's, and the command would go on.
"""

import signal
import sys
import threading

AGAIN_AFTER_S = 0.05
"""Until the finalizer has ended: it is some microseconds as a rule."""


def send_dropped_interrupts_again() -> None:
    """Interrupt this process again, from now on, whenever Python drops a KeyboardInterrupt; other drops are shown as before."""
    show, main_thread = sys.unraisablehook, threading.main_thread().ident

    def send_again(dropped: "sys.UnraisableHookArgs") -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            show(dropped)
            return
        again = threading.Timer(AGAIN_AFTER_S, signal.pthread_kill, (main_thread, signal.SIGINT))
        again.daemon = True
        again.start()

    sys.unraisablehook = send_again
