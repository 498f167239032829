"""M-R1: thirteen faults, each candidate once, out of the box; then our outcome after the provider is well again."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from bench import peers
from bench.candidates import DEADLINE_S, PEERS
from bench.canned_replies import FAULTS
from bench.measure import Row
from bench.servers import canned

Found = Mapping[str, Any]
CONTROL_S_MOST = 1.05 * DEADLINE_S + 0.05


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """Ours with every fault before and after the provider did it; the peers with it done."""
    trouble = peers.install()
    names = [] if quick else list(PEERS)
    with ExitStack() as stack:

        def begin(name: str, *, done: int = 1, resolve: int = 0, peer: bool = False) -> subprocess.Popen[str]:
            return peers.start("faults", name, stack.enter_context(canned()), done, resolve, peer=peer)

        asked = {("punktgenau", done): begin("punktgenau", done=done, resolve=1) for done in (1, 0)}
        asked["requests", 1] = begin("requests")
        asked |= {(name, 1): begin(name, peer=True) for name in names if not trouble}
        found = {who: peers.heard(process) for who, process in asked.items()}
    after, before = found[("punktgenau", 1)], found[("punktgenau", 0)]
    for told in (after, before):
        if isinstance(told, str):
            return [_not_run("punktgenau", told)]
    assert not isinstance(after, str)
    assert not isinstance(before, str)
    lines = [_ours(fault, after[fault], before[fault]) for fault in FAULTS]
    lines += [_right(after, before), _in_time(after, before)]
    lines += [_handled(name, told) for (name, _), told in found.items() if name != "punktgenau"]
    return lines + [_not_run(name, trouble) for name in names if trouble]


def _ours(fault: str, after: Mapping[str, Any], before: Mapping[str, Any]) -> Row:
    got = " / ".join(dict.fromkeys(str(one["got"]) for one in (after, before)))
    keys = "same key" if after["keys"] == before["keys"] == 1 and not after["keyless"] else "keys differ"
    return Row(
        figure="M-R1",
        what=fault,
        ours=f"sent {after['sent']}, {keys}; {got.replace('punktgenau.', '')} after {after['control_s']:.2f} s",
        beside=f"then {_then(after)}",
        target="handled, and right in the end",
        met=all(handled(one, fault) and right(one) for one in (after, before)),
    )


def _then(told: Mapping[str, Any]) -> str:
    again = told["resolved"]
    assert isinstance(again, Mapping)
    return f"{again['got']}, done {again['done']} times"


def handled(told: Mapping[str, Any], fault: str) -> bool:
    """Control came back, with an error of its own (or the right answer where only a connection was old); keys kept."""
    repeated_safely = told["sent"] == 1 or (told["keys"] == 1 and not told["keyless"])
    wanted = "returned" if fault == "stale connection" else "own error"
    return told["kind"] == wanted and repeated_safely


def right(told: Mapping[str, Any]) -> bool:
    """Nothing was claimed that is not so; the same call again says what happened, and it happened once."""
    again = told["resolved"]
    assert isinstance(again, Mapping)
    claims_truth = told["claims"] in ("", "unknown") or (told["claims"] == "done") == bool(again["done_before"])
    return claims_truth and again["kind"] == "returned" and again["done"] == 1


def _right(after: Found, before: Found) -> Row:
    count = sum(right(after[fault]) and right(before[fault]) for fault in FAULTS)
    return Row(
        figure="M-R1",
        what="outcome right after the same call again, whether or not the provider had done it",
        ours=f"{count} of {len(FAULTS)}",
        target=f"{len(FAULTS)} of {len(FAULTS)}",
        met=count == len(FAULTS),
    )


def _in_time(after: Found, before: Found) -> Row:
    slowest = max(float(str(one[fault]["control_s"] or 60)) for one in (after, before) for fault in FAULTS)
    return Row(
        figure="M-R2",
        what=f"control back, deadline {DEADLINE_S:.0f} s, slowest of the faults",
        ours=f"{slowest:.2f} s",
        target=f"<= {CONTROL_S_MOST:.2f} s",
        met=slowest <= CONTROL_S_MOST,
    )


def _handled(name: str, told: Found | str) -> Row:
    if isinstance(told, str):
        return _not_run(name, told)
    failed = [f"{fault} ({told[fault]['kind']})" for fault in FAULTS if not handled(told[fault], fault)]
    return Row(
        figure="M-R1",
        what=f"{name}, out of the box",
        ours=f"{len(FAULTS) - len(failed)} of {len(FAULTS)} handled",
        beside="not: " + ", ".join(failed),
    )


def _not_run(name: str, why: str) -> Row:
    return Row(figure="M-R1", what=f"{name}, out of the box", ours=f"not run: {why}")
