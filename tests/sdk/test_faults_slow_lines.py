"""Lines that are slow, cut everything small, or deliver late: right in time, or unknown in time, and one effect."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from _calls import SAMPLES as CALLS
from _calls import WRITES, assert_unknown, failure, reply
from _canned import Act, Canned, Conversation, answer, head
from punktgenau import Client

SHORT_S = 0.4
NOISE_S = 0.5
Pause = Callable[[int], float]


def piecewise(name: str, *, size: int, pause: Pause) -> Act:
    """The sample's answer in pieces of so many bytes, with pauses of so many seconds between them."""
    body = json.dumps(reply(name)).encode()
    data = head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))}) + body

    def play(talk: Conversation) -> None:
        for number, position in enumerate(range(0, len(data), size)):
            talk.send(data[position : position + size])
            if (seconds := pause(number)) > 0:
                talk.sock.settimeout(seconds)
                with suppress(TimeoutError, OSError):
                    if not talk.sock.recv(1):
                        break
        talk.ends = True

    return play


LINES: dict[str, tuple[int, Pause]] = {
    "one byte at a time": (1, lambda number: 0),
    "1 kB a second": (16, lambda number: 0.016),
    "seven bytes, then a jolt": (7, lambda number: 0.2 if number in (1, 30) else 0),
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", ["authorize", "capture", "void", "reverse", "find"])
@pytest.mark.scenario("N14", "1-byte pieces, 1 kB a second, jolts: whoever has the time for it gets the right answer")
def test_a_slow_answer_in_time_is_an_answer(line: str, name: str, client: Client, server: Canned) -> None:
    size, pause = LINES[line]
    server.next(answer(reply(name)), piecewise(name, size=size, pause=pause))
    at_once = CALLS[name](client)
    assert CALLS[name](client, deadline_s=8.0) == at_once
    assert len(server.seen) == 2


CRAWLING: dict[str, tuple[int, Pause]] = {
    "20 bytes a second": (1, lambda number: 0.05),
    "one byte, then two seconds": (1, lambda number: 2.0),
    "slower and slower": (64, lambda number: 0.05 * 2**number),
}


@pytest.mark.parametrize("line", CRAWLING)
@pytest.mark.parametrize("name", WRITES)
@pytest.mark.scenario("N14", "a line too slow for the deadline: unknown, at the deadline, however the bytes are spread")
def test_too_slow_a_line_is_unknown_in_time(line: str, name: str, client: Client, server: Canned) -> None:
    size, pause = CRAWLING[line]
    server.next(*[piecewise(name, size=size, pause=pause)] * 3)
    started = time.monotonic()
    error = failure(name, client, deadline_s=SHORT_S)
    assert time.monotonic() - started < SHORT_S * 1.05 + 0.05 + NOISE_S
    assert_unknown(error, name)
    assert len(set(server.keys())) == 1
