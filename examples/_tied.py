"""Runs a module that ends when whoever started it is gone, however that was: `python examples/_tied.py MODULE ...`.

The one who started it holds the other end of our standard input, and a pipe whose holder has died is at its end, on
every system. Standard library only.
"""

import os
import runpy
import signal
import sys
import threading

_GRACE_S = 5.0


def _end_with_the_parent() -> None:
    while os.read(0, 1):
        pass
    # First as Ctrl-C on a server would, so that what is begun is finished; then at once.
    threading.Timer(_GRACE_S, os._exit, args=(1,)).start()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    sys.argv = sys.argv[1:]
    # As `python -m` would: from the folder where it was started, not from this file's.
    sys.path[0] = os.getcwd()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
