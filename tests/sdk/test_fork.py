"""A client that was made before the process forked, as application servers do that load the application first."""

from __future__ import annotations

import subprocess
import sys

import pytest

from _calls import reply
from _canned import Canned, Conversation, answer

SCRIPT = """
import os, sys
from punktgenau import Client

client = Client(sys.argv[1], client_id="demo-shop", client_secret="demo-secret")

def ask(member_id):
    balance = client.members.balance(member_id=member_id, deadline_s=5)
    assert balance.member_id == member_id, balance.member_id

ask("mbr_before")
if sys.argv[2] == "held":
    # As if another thread had been asking for a token at the moment of the fork.
    client._transport._token._lock.acquire()
    client._transport._token._header = None
child = os.fork()
if not child:
    for _ in range(20):
        ask("mbr_child")
    os._exit(0)
if sys.argv[2] != "held":
    for _ in range(20):
        ask("mbr_parent")
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize("lock", ["free", "held"])
@pytest.mark.scenario("C15", "parent and child never share a connection, an answer or a lock")
def test_a_fork_shares_nothing(lock: str, server: Canned) -> None:
    def play(talk: Conversation) -> None:
        assert talk.request is not None
        answer({**reply("balance"), "member_id": talk.request.path.split("/")[3]})(talk)

    server.usual = play
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, server.url, lock], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    by_member: dict[str, set[int]] = {}
    for seen in server.seen:
        by_member.setdefault(seen.path.split("/")[3], set()).add(seen.connection)
    assert by_member["mbr_child"].isdisjoint(by_member["mbr_before"] | by_member.get("mbr_parent", set()))
