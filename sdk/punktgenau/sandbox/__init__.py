"""A whole points provider to develop against. It shares no code with the client that talks to it."""

from __future__ import annotations

from .app import create_app
from .clock import SandboxClock
from .database import Database
from .faults import Fault, FaultOnWire
from .state import Sandbox, sandbox

__all__ = ["Database", "Fault", "FaultOnWire", "Sandbox", "SandboxClock", "create_app", "sandbox"]
