"""All checks of an adapter."""

from __future__ import annotations

from punktgenau.testing.conformance.captures import CaptureChecks
from punktgenau.testing.conformance.claw_backs import ClawBackChecks, PendingChecks
from punktgenau.testing.conformance.holds import HoldChecks
from punktgenau.testing.conformance.issued import IssuedChecks
from punktgenau.testing.conformance.keys import KeyChecks
from punktgenau.testing.conformance.lookups import LookupChecks
from punktgenau.testing.conformance.reversals import ReversalChecks
from punktgenau.testing.conformance.troubles import TroubleChecks
from punktgenau.testing.conformance.vouchers import VoucherChecks


class AdapterConformance(
    HoldChecks,
    CaptureChecks,
    ReversalChecks,
    PendingChecks,
    ClawBackChecks,
    IssuedChecks,
    VoucherChecks,
    KeyChecks,
    LookupChecks,
    TroubleChecks,
):
    """Whether an adapter keeps what the engine relies on; subclass it as `Test...` and supply `provider` and `member`.

    The functions that make trouble are optional (`lose_answers`, `never_answer`, `answer_wrongly`, `go_away` with
    `heal`; `withdraw_consent`; `advance`): where one is missing, its checks count as not applicable. So do checks of
    what the provider's profile says that it cannot do.
    """
