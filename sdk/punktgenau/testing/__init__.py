"""The test kit: a whole provider inside a test, and a clock that moves by hand.

    from punktgenau.testing import fake_provider

    with fake_provider() as provider:
        ...  # everything that the shop sends to provider.url is answered by the sandbox's real ledger

For pytest, `pytest_plugins = ["punktgenau.testing.plugin"]` brings the fixtures `points_provider`, `points_clock` and
`points_client`. Needs the extra `punktgenau[testing]`.
"""

from punktgenau.testing._inside import SentRequest
from punktgenau.testing.books import MemberBalance
from punktgenau.testing.clock import ManualClock
from punktgenau.testing.fake import FakeProvider, fake_provider
from punktgenau.testing.faults import ScriptedFaults

__all__ = ["FakeProvider", "ManualClock", "MemberBalance", "ScriptedFaults", "SentRequest", "fake_provider"]
