"""One candidate in a process of its own: `candidate.py cpu|faults NAME ADDRESS NUMBER NUMBER`; prints JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)
from bench.candidates import OWN, PEERS, Call, new_order, plain_requests  # noqa: E402
from bench.canned_replies import FAULTS  # noqa: E402
from bench.measure import in_turn  # noqa: E402

LIMIT_S = 12.0


def cpu(name: str, url: str, size: int, rounds: int) -> dict[str, Any]:
    """CPU per call beside plain `requests` in the same process."""
    calls = {
        "ours": {**OWN, **PEERS}[name](url),
        "floor": plain_requests(url),
        "again": plain_requests(url),
    }
    return dict(in_turn(calls, size=size, rounds=rounds))


def faults(name: str, url: str, executed: int, resolve: int) -> dict[str, Any]:
    """What becomes of one call under each fault, and of the same call again afterwards where that is asked for."""
    make = {**OWN, **PEERS}[name]
    return {fault: one_fault(make(url), url, fault, executed=bool(executed), resolve=bool(resolve)) for fault in FAULTS}


def one_fault(call: Call, url: str, fault: str, *, executed: bool, resolve: bool) -> dict[str, Any]:
    """In a thread of its own, which is left behind where it does not come back; its first call is a good one."""
    heard: dict[str, Any] = {}

    order = [new_order()] if resolve else []

    def run() -> None:
        tell(url, "")
        call()
        tell(url, fault, executed=executed)
        heard["begun"] = time.monotonic()
        heard.update(outcome_of(lambda: call(*order)))
        heard["ended"] = time.monotonic()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LIMIT_S)
    seen = ask(url)["seen"]
    keys = [key for key in seen if key]
    told = {
        "sent": len(seen),
        "keys": len(set(keys)),
        "keyless": len(seen) - len(keys),
        "control_s": None if thread.is_alive() else float(str(heard["ended"])) - float(str(heard["begun"])),
        "got": heard.get("got", "no control"),
        "kind": heard.get("kind", "hangs"),
        "claims": heard.get("claims", ""),
    }
    if resolve:
        told["resolved"] = resolved(lambda: call(*order), url, str(heard.get("key", "")))
    return told


def outcome_of(call: Call) -> dict[str, Any]:
    """What the caller gets: a value, an error of the SDK's own, or one of the libraries below it."""
    try:
        value = call()
    except Exception as error:  # whatever it is, is what a caller would see
        owner = type(error).__module__.partition(".")[0]
        return {
            "got": f"{owner}.{type(error).__name__}",
            "kind": "raw" if owner in RAW else "own error",
            "claims": getattr(error, "outcome", ""),
            "key": getattr(error, "idempotency_key", ""),
        }
    return {"got": f"returned {type(value).__name__}", "kind": "returned", "key": getattr(value, "idempotency_key", "")}


RAW = {"builtins", "http", "json", "socket", "ssl", "xml", "urllib3", "httpx", "httpcore", "pydantic", "pydantic_core"}


def resolved(call: Call, url: str, key: str) -> dict[str, Any]:
    """The provider is well again: the same call with the same key, and what the provider really did for that key."""
    tell(url, "", forget=False)
    done_before = ask(url)["done"].get(key, 0)
    again = outcome_of(call)
    done = ask(url)["done"].get(key, 0)
    return {"done_before": done_before, "done": done, **again}


def tell(url: str, fault: str, *, executed: bool = True, forget: bool = True) -> None:
    """What the server shall do from now on."""
    body = json.dumps({"fault": fault, "executed": executed, "forget": forget}).encode()
    request = urllib.request.Request(f"{url}/-/fault", data=body, method="PUT")
    with _direct.open(request, timeout=10):
        pass


def ask(url: str) -> dict[str, Any]:
    """What the server has seen."""
    with _direct.open(f"{url}/-/seen", timeout=10) as reply:
        told: dict[str, Any] = json.loads(reply.read())
    return told


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

if __name__ == "__main__":
    what, who, where, first, second = sys.argv[1:]
    result = {"cpu": cpu, "faults": faults}[what](who, where, int(first), int(second))
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    # A call that never came back must not keep this process.
    import os

    os._exit(0)
