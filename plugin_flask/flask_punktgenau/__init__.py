"""Points as a way to pay, in any Flask shop."""

from flask_punktgenau.extension import Punktgenau

__all__ = ["Punktgenau"]
