"""Each kind of provider that the sandbox plays is asked for what its profile says that it can do, and passes that."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from _conformance_kits import InProcess
from punktgenau.provider import PROFILES
from punktgenau.testing.conformance import NotApplicableError, checks_of

NO_HOLDS = (
    "hold-arithmetic hold-state hold-length hold-attempts hold-expires extend void-gives-back void-twice void-captured "
    "capture capture-twice capture-in-part capture-in-parts capture-too-many capture-voided capture-or-void "
    "capture-unknown reverse-held key-now cancel-held cancel-captured consent lost-capture lost-void"
)
NO_LOOKUP = "find-by-key find-by-order find-nothing get lost-found accrue-found"
NO_KEYS = (
    "key-same-content key-other-content key-threads key-now void-twice capture-twice reverse-twice "
    "lost-authorize lost-capture lost-void lost-reverse accrue-twice claw-back-twice"
)
NO_CANCEL = "cancel-held cancel-before cancel-captured"
PENDING = "accrue-pending accrue-post claw-back-pending"
ACCRUE = (
    f"accrue accrue-twice accrue-reference accrue-found {PENDING} claw-back claw-back-once claw-back-twice "
    "claw-back-too-many claw-back-to-zero claw-back-below-zero claw-back-without-consent issued"
)
VOUCHERS = (
    "voucher-unknown voucher-bought voucher-and-points voucher-all-or-none voucher-more-than-left voucher-given-back"
)
NO_PARTS = "reverse-in-part reverse-in-parts reverse-value reverse-reference"
# Which checks say nothing about which kind; by hand, from what each check does.
NOT_APPLICABLE = {
    "reference": "",
    "no_holds": NO_HOLDS,
    "no_lookup": NO_LOOKUP,
    "no_keys": f"{NO_KEYS} {NO_CANCEL} find-by-key",
    "neither": f"{NO_KEYS} {NO_CANCEL} {NO_LOOKUP}",
    "silent_mismatch": "",
    "replays_errors": "",
    "one_capture": "capture-in-parts",
    "no_partial_reversal": NO_PARTS,
    "no_reversal_quotes": "",
    "no_accruals": ACCRUE,
    "points_only": VOUCHERS,
    "partial_approval": "hold-too-many hold-declined-then-less voucher-all-or-none",
    "slow_lookup": "",
    "short_window": "",
    "short_holds": "",
    "short_holds_fixed": "extend",
    "no_cancel_by_key": NO_CANCEL,
    "uuid_keys": "",
    "short_keys": "",
    "classic": f"{NO_HOLDS} {NO_KEYS} {NO_CANCEL} {NO_PARTS} {ACCRUE} {VOUCHERS} find-by-key",
}


@pytest.mark.parametrize("name", PROFILES)
def test_kind_of_provider(name: str) -> None:
    kit = InProcess()
    kit.profile_under_test = PROFILES[name]
    not_applicable, failed = set(), {}
    with ExitStack() as stack:
        kit.wire(stack)
        for check in checks_of(InProcess):
            try:
                getattr(kit, f"test_{check.id.replace('-', '_')}")()
            except NotApplicableError:
                not_applicable.add(check.id)
            except Exception as error:
                failed[check.id] = error
        kit.fake.assert_books_balance()
    assert failed == {}
    assert not_applicable == set(NOT_APPLICABLE[name].split())
