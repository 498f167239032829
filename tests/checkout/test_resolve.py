"""How an unknown is resolved: every kind of provider, every kind of call, whatever was heard, inside the key's window
and beyond. The expectations are written by hand; each row is a claim about what is safe.
"""

from __future__ import annotations

import json
from itertools import product
from typing import Any, get_args

import pytest

from _calls import reply
from punktgenau.checkout.resolve import Kind, Verdict, judge_settled, look_up_by, may_send, next_step
from punktgenau.provider import PROFILES, ProviderProfile, Redemption

KINDS: tuple[Kind, ...] = get_args(Kind)
HEARD = {
    "nothing": ("outcome_unknown", None),
    "a 5xx": ("internal_error", "unavailable"),
    "more than we know": ("wrong_echo", "unexpected_replay", "already_captured", "hold_expired", "reference_reused"),
    "settling": ("settling",),
}
INSIDE, BEYOND = 60.0, 401 * 86_400.0
EVEN_THEN = {"replays_errors, no lookup": ProviderProfile(name="x", replays_errors=True, lookup=frozenset())}
PROFILE = {**PROFILES, **EVEN_THEN}

# A letter each for authorize, capture, void, reverse, cancel_by_key, extend, give_up, accrue:
# R repeat, L look up, C cancel by key, P a person. Inside the window, then beyond it.
TABLE = {
    ("reference", "nothing"): ("RRRRRLLR", "LLLLLLLL"),
    ("reference", "a 5xx"): ("RRRRRLLR", "LLLLLLLL"),
    ("reference", "more than we know"): ("LLLLLLLL", "LLLLLLLL"),
    ("reference", "settling"): ("LLLLLLLL", "LLLLLLLL"),
    ("no_cancel_by_key", "nothing"): ("RRRRRLLR", "LLLLLLLL"),
    ("no_cancel_by_key", "a 5xx"): ("RRRRRLLR", "LLLLLLLL"),
    ("no_cancel_by_key", "more than we know"): ("LLLLLLLL", "LLLLLLLL"),
    ("no_cancel_by_key", "settling"): ("LLLLLLLL", "LLLLLLLL"),
    ("no_lookup", "nothing"): ("RRRRRPPR", "PPPPPPPP"),
    ("no_lookup", "a 5xx"): ("RRRRRPPR", "PPPPPPPP"),
    ("no_lookup", "more than we know"): ("RRRRRPPR", "PPPPPPPP"),
    ("no_lookup", "settling"): ("CPPPPPPP", "PPPPPPPP"),
    ("no_keys", "nothing"): ("LLLLLLLL", "LLLLLLLL"),
    ("no_keys", "a 5xx"): ("LLLLLLLL", "LLLLLLLL"),
    ("no_keys", "more than we know"): ("LLLLLLLL", "LLLLLLLL"),
    ("no_keys", "settling"): ("LLLLLLLL", "LLLLLLLL"),
    ("neither", "nothing"): ("PPPPPPPP", "PPPPPPPP"),
    ("neither", "a 5xx"): ("PPPPPPPP", "PPPPPPPP"),
    ("neither", "more than we know"): ("PPPPPPPP", "PPPPPPPP"),
    ("neither", "settling"): ("PPPPPPPP", "PPPPPPPP"),
    ("replays_errors", "nothing"): ("RRRRRLLR", "LLLLLLLL"),
    ("replays_errors", "a 5xx"): ("LLLLLLLL", "LLLLLLLL"),
    ("replays_errors", "more than we know"): ("LLLLLLLL", "LLLLLLLL"),
    ("replays_errors", "settling"): ("LLLLLLLL", "LLLLLLLL"),
    ("replays_errors, no lookup", "nothing"): ("RRRRRPPR", "PPPPPPPP"),
    ("replays_errors, no lookup", "a 5xx"): ("CPPPPPPP", "PPPPPPPP"),
    ("replays_errors, no lookup", "more than we know"): ("RRRRRPPR", "PPPPPPPP"),
    ("replays_errors, no lookup", "settling"): ("CPPPPPPP", "PPPPPPPP"),
}
LETTER = {"repeat": "R", "look_up": "L", "cancel_by_key": "C", "needs_attention": "P"}
ORDER: tuple[Kind, ...] = ("authorize", "capture", "void", "reverse", "cancel_by_key", "extend", "give_up", "accrue")
AS_THE_REFERENCE = (
    "no_holds", "silent_mismatch", "one_capture", "no_partial_reversal", "no_reversal_quotes", "partial_approval",
    "slow_lookup", "short_holds", "short_holds_fixed", "uuid_keys", "short_keys", "no_accruals", "points_only",
)  # fmt: skip


def steps(name: str, code: str | None, age_s: float) -> str:
    return "".join(LETTER[next_step(PROFILE[name], kind, code=code, age_s=age_s)] for kind in ORDER)


def test_the_table_leaves_nothing_out():
    assert sorted(ORDER) == sorted(KINDS)
    named = {name for name, _ in TABLE}
    assert set(TABLE) == set(product(named, HEARD))
    assert set(PROFILE) == named | set(AS_THE_REFERENCE) | {"short_window", "classic"}


@pytest.mark.parametrize(("name", "heard"), TABLE)
def test_next_step(name: str, heard: str):
    inside, beyond = TABLE[name, heard]
    for code in HEARD[heard]:
        assert (steps(name, code, INSIDE), steps(name, code, BEYOND)) == (inside, beyond)


@pytest.mark.parametrize("heard", HEARD)
@pytest.mark.parametrize("name", AS_THE_REFERENCE)
def test_these_are_resolved_as_the_reference(name: str, heard: str):
    for code in HEARD[heard]:
        assert (steps(name, code, INSIDE), steps(name, code, BEYOND)) == TABLE["reference", heard]


@pytest.mark.parametrize("heard", HEARD)
def test_a_short_window_is_only_shorter_and_classic_has_no_keys(heard: str):
    for code in HEARD[heard]:
        seen = steps("short_window", code, 599.9), steps("short_window", code, 600.0)
        assert seen == TABLE["reference", heard]
        assert (steps("classic", code, INSIDE), steps("classic", code, BEYOND)) == TABLE["no_keys", heard]


@pytest.mark.parametrize("name", PROFILE)
def test_what_is_sent(name: str):
    """The first time always; later only what the key makes safe; never while nothing but time is waited for."""
    profile = PROFILE[name]
    for kind, codes in product(KINDS, HEARD.values()):
        for code in codes:
            first = may_send(profile, kind, code=code, age_s=BEYOND, first=True)
            assert first == (kind != "give_up" and code != "settling")
            assert not may_send(profile, kind, code=code, age_s=BEYOND, first=False)
            again = may_send(profile, kind, code=code, age_s=INSIDE, first=False)
            stored = profile.replays_errors and code in ("internal_error", "unavailable")
            assert again == (first and profile.keys == "header" and kind != "extend" and not stored)


def test_a_key_that_is_forgotten_is_asked_about_by_its_order():
    by_key = ProviderProfile(name="x", lookup=frozenset({"key"}), key_window_s=600)
    assert look_up_by(PROFILES["short_window"], age_s=599.0) == "key"
    assert look_up_by(PROFILES["short_window"], age_s=600.0) == "order"
    assert look_up_by(PROFILES["no_keys"], age_s=0.0) == "order"
    assert look_up_by(by_key, age_s=600.0) == "key"
    assert look_up_by(ProviderProfile(name="x", lookup=frozenset({"order"})), age_s=0.0) == "order"


def test_without_any_way_on_a_person_is_left():
    kept = ProviderProfile(name="x", replays_errors=True, lookup=frozenset(), cancel_by_key=False)
    assert next_step(kept, "authorize", code="internal_error", age_s=INSIDE) == "needs_attention"


def evidence(state: str) -> Redemption:
    body: dict[str, Any] = {**reply("authorize"), "state": state}
    return Redemption.model_validate_json(json.dumps(body))


LOST = Verdict("unknown", code="outcome_unknown")
WAIT = Verdict("unknown", code="settling")
PERSON = Verdict("unknown", state="needs_attention", code="outcome_unknown")
KEY_ONLY = ProviderProfile(name="x", lookup=frozenset({"key"}), key_window_s=600, settle_s=30)


@pytest.mark.parametrize(
    ("profile", "kind", "shown", "age_s", "too_early", "settled"),
    [
        # Nothing of an authorize shows: it never arrived, and after the settle time it cannot any more.
        ("no_keys", "authorize", None, 60.0, WAIT, Verdict("not_done", "declined", "never_arrived")),
        ("no_keys", "give_up", None, 60.0, WAIT, Verdict("not_done", "abandoned", "never_arrived")),
        ("replays_errors", "cancel_by_key", None, 60.0, WAIT, Verdict("not_done", "abandoned", "never_arrived")),
        ("short_window", "authorize", None, 601.0, WAIT, Verdict("not_done", "declined", "never_arrived")),
        # By a key that is forgotten, nothing shows of anything: no proof, ever.
        ("key only", "authorize", None, 599.0, WAIT, Verdict("not_done", "declined", "never_arrived")),
        ("key only", "authorize", None, 600.0, PERSON, PERSON),
        # An id that the provider gave is not there: that is no state of a redemption.
        ("no_keys", "capture", None, 60.0, PERSON, PERSON),
        ("no_keys", "void", None, 60.0, PERSON, PERSON),
        ("no_keys", "reverse", None, 60.0, PERSON, PERSON),
        ("no_keys", "extend", None, 60.0, LOST, LOST),
        # It shows as it was: nothing was done, so it may be done anew.
        ("no_keys", "capture", "authorized", 60.0, WAIT, Verdict("not_done", "authorized", "proven_undone")),
        ("no_keys", "void", "authorized", 60.0, WAIT, Verdict("not_done", "authorized", "proven_undone")),
        ("no_keys", "reverse", "captured", 60.0, WAIT, Verdict("not_done", "captured", "proven_undone")),
        (
            "replays_errors",
            "cancel_by_key",
            "authorized",
            60.0,
            WAIT,
            Verdict("not_done", "authorized", "proven_undone"),
        ),
    ],
)
def test_what_a_look_up_proves_that_does_not_show_the_goal(
    profile: str, kind: Kind, shown: str | None, age_s: float, too_early: Verdict, settled: Verdict
):
    asked = KEY_ONLY if profile == "key only" else PROFILES[profile]
    seen = None if shown is None else evidence(shown)
    for is_settled, expected in ((False, too_early), (True, settled)):
        assert judge_settled(asked, kind, seen, heard=LOST, age_s=age_s, settled=is_settled) == expected
