"""What runs until it is shut down: by hand, by leaving a `with`, or at the latest when the interpreter ends."""

import atexit
import weakref

_running = weakref.WeakSet()


class Running:
    """Something with threads behind it. Within `with` it is shut down at the end of the block."""

    def _started(self):
        _running.add(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()


@atexit.register
def _shut_down_all():
    # Who asks others before those who are asked.
    for one in sorted(_running, key=lambda one: one.order):
        one.shutdown()
