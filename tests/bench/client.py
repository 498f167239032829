"""M-P1: what one call costs, beside plain `requests` at the same server, and the peers beside it at theirs."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from bench import peers
from bench.candidates import PEERS, plain_requests, punktgenau
from bench.measure import Call, Ratio, Row, compared, in_turn, ratio, same
from bench.servers import canned, sandbox

MOST = 0.60
MEMBER = "mbr_bench"
CREDENTIALS = ("demo-shop", "demo-secret")


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """The client at the sandbox, then client and peers at a server of canned answers."""
    size, rounds = (20, 12) if quick else (40, 50)
    with sandbox() as url:
        spent = in_turn(_at_sandbox(url), size=size, rounds=rounds)
    what = "authorize over TCP to the sandbox / `requests.Session().post(json=).json()`"
    found = [compared("M-P1", what, spent, most=MOST), same("M-P1", spent)]
    return found + _beside_peers(size=size, rounds=max(8, rounds // 2))


def _at_sandbox(url: str) -> dict[str, Call]:
    with requests.Session() as control:
        control.trust_env = False
        control.post(f"{url}/sandbox/members", json={"id": MEMBER, "points": 10**12}, timeout=10).raise_for_status()
        form = {"grant_type": "client_credentials"}
        reply = control.post(f"{url}/oauth/token", data=form, auth=CREDENTIALS, timeout=10)
        token = f"Bearer {reply.json()['access_token']}"
    floor = {"path": "/v1/redemptions", "token": token, "member_id": MEMBER}
    return {
        "ours": punktgenau(url, member_id=MEMBER),
        "floor": plain_requests(url, **floor),
        "again": plain_requests(url, **floor),
    }


def _beside_peers(*, size: int, rounds: int) -> list[Row]:
    trouble = peers.install()
    with canned() as url:
        ours = _ratio(peers.ask("cpu", "punktgenau", url, size, rounds, peer=False))
        found = {name: trouble or _ratio(peers.ask("cpu", name, url, size, rounds, peer=True)) for name in PEERS}
    lines = [_line("punktgenau", ours, None)]
    return lines + [_line(name, one, ours if isinstance(ours, Ratio) else None) for name, one in found.items()]


def _ratio(told: Mapping[str, list[float]] | str) -> Ratio | str:
    return told if isinstance(told, str) else ratio(told["ours"], told["floor"])


def _line(name: str, found: Ratio | str, ours: Ratio | None) -> Row:
    what = f"{name}, one call / requests, canned answers"
    if isinstance(found, str):
        return Row(figure="M-P1", what=what, ours=f"not run: {found}")
    beaten = ours is not None and ours.middle < found.middle
    target = "" if name == "punktgenau" else "more than ours"
    return Row(figure="M-P1", what=what, ours="", ratio=str(found), target=target, met=beaten if target else None)
