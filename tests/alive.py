"""The objects that are alive in this process."""

import gc
import sys


def alive(is_wanted):
    """Return the objects that the garbage collector tracks and that are wanted.

    No other thread runs meanwhile: gc.get_objects() refers to tuples that threads are building, whose resize then fails.
    """
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(60)
    try:
        return [one for one in gc.get_objects() if is_wanted(one)]
    finally:
        sys.setswitchinterval(interval_s)
