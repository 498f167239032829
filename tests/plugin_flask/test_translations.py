"""Three catalogues that say the same: complete, compiled, with the same placeholders, in plain words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

import flask_punktgenau
from flask_punktgenau.backoffice_gate import DEEDS
from flask_punktgenau.backoffice_kinds import CAUSES, EARN_CALLS, ORDER_STATES, REFUSALS, STORY_CALLS, STORY_KINDS
from flask_punktgenau.backoffice_language import By
from flask_punktgenau.backoffice_words import BROKEN, FIELDS, JOURNAL_CODES, NOTED, SENTENCES
from flask_punktgenau.earns import EarnOf
from flask_punktgenau.formatting import LANGUAGES, TRANSLATIONS
from flask_punktgenau.language import Language
from flask_punktgenau.pages import ChoiceKind, ConnectState, HistoryFilter
from punktgenau._codes_vouchers import VOUCHER_CODES
from punktgenau.checkout.difference import DifferenceState, Proposal
from punktgenau.checkout.earning.told import EarnedFate, EarnedState
from punktgenau.checkout.exchanging.told import ExchangeKind, ExchangeState
from punktgenau.checkout.matched import DifferenceKind
from punktgenau.checkout.office_exchanged import ExchangeFate
from punktgenau.checkout.payment import PaymentState
from punktgenau.checkout.quote import ReasonCode
from punktgenau.checkout.refund import NewPointsState, RefundState
from punktgenau.checkout.resolving import Resolution
from punktgenau.checkout.searching import STATES
from punktgenau.checkout.settings import RefundPolicy
from punktgenau.checkout.tax.record import WHY
from punktgenau.codes import CODES
from punktgenau.errors import Outcome
from punktgenau.provider import Entry

PACKAGE = Path(flask_punktgenau.__file__).parent
OFFICE = tuple(PACKAGE.glob("backoffice*.py"))
CALLS = frozenset({"gettext", "ngettext", "markup"})
ENDINGS = ("short.refused", "abandoned.without", "abandoning.without")
FAMILIES = {
    "code": tuple(CODES),
    "reason": (*get_args(ReasonCode), "articles.none", "cart.none", "share.none"),
    "payment": (*get_args(PaymentState), "authorized.until", "partially_captured.until", *ENDINGS),
    "tenders": (
        *("authorized", "authorized.until", "authorizing", "captured", "capturing", "declined", "expired", "voided"),
        *("voiding", "reversed", "reversing", "partially_reversed", "abandoned", "abandoned.without", "abandoning"),
        *("abandoning.without", "short", "short.refused", "needs_attention", "cancelled"),
    ),
    "voucher": ("away", "not_needed", *(row.code for row in VOUCHER_CODES if row.code.startswith("voucher_"))),
    "reclamped": ("cart", "balance", "rules", "grown", "reward", "vouchers"),
    "entry": tuple(
        kind + ending
        for kind in (
            *("opening", "adjustment", "hold", "capture", "release", "reversal", "expiry"),
            *("accrual", "accrual.pending", "accrual_posted", "claw_back", "owed_settled"),
            *("voucher", "payout", "payout_returned"),
        )
        for ending in ("", ".order")
    ),
    "show": get_args(HistoryFilter),
    "earns": (*get_args(EarnOf), "welcome", "welcome.perhaps", "offset"),
    "told": ("cancelled", "returned", "hold_ended"),
    "earned": (*get_args(EarnedState), "pending.from", "owed"),
    "choice": get_args(ChoiceKind),
    "problem": get_args(Outcome),
    "connect": tuple(state + ending for state in get_args(ConnectState) for ending in ("", ".text")),
    "office": (
        *(f"state.{state}" for state in STATES),
        *(f"by.{by}" for by in get_args(By)),
        *(f"cause.{cause}" for cause in CAUSES),
        *(f"refusal.{code}" for code in REFUSALS),
        *(f"refund.{state}" for state in get_args(RefundState)),
        *(f"new_points.{state}" for state in get_args(NewPointsState) if state != "none"),
        *(f"policy.{policy}" for policy in get_args(RefundPolicy)),
        *(f"resolution.{how}{ending}" for how in get_args(Resolution) for ending in ("", ".text")),
        *(f"call.{call}" for call in STORY_CALLS),
        *(f"difference.{kind}{ending}" for kind in get_args(DifferenceKind) for ending in ("", ".text")),
        *(f"found.{state}" for state in get_args(DifferenceState)),
        *(f"proposal.{what}{ending}" for what in get_args(Proposal) for ending in ("", ".text")),
        *(f"order.{state}" for state in (*ORDER_STATES, "unasked")),
        *(f"done.{deed}" for deed in DEEDS),
        *(f"outcome.{outcome}" for outcome in get_args(Outcome)),
        *(f"code.{code}" for code in (*CODES, *JOURNAL_CODES)),
        *(f"field.{field}" for field in FIELDS),
        *(f"tax.{why}" for why in WHY),
        *(f"earning.{state}" for state in get_args(EarnedState)),
        *(f"fate.{fate}" for fate in get_args(EarnedFate) if fate),
        *(f"earn_call.{call}" for call in EARN_CALLS),
        *(f"exchange.{kind}" for kind in get_args(ExchangeKind)),
        *(f"exchanged.{state}" for state in get_args(ExchangeState)),
        *(f"became.{fate}" for fate in get_args(ExchangeFate)),
        *(f"earned.{state}" for state in get_args(EarnedState)),
    ),
    "story": STORY_KINDS,
}
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def po(language: str) -> Catalog:
    with (TRANSLATIONS / language / "LC_MESSAGES" / "punktgenau.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def texts(language: str) -> dict[str, tuple[str, ...]]:
    """Every text of a catalogue, plural forms included, by its id."""
    return said_by(po(language))


def said_by(catalogue: Catalog) -> dict[str, tuple[str, ...]]:
    return {
        message.id if isinstance(message.id, str) else message.id[0]: (
            (message.string,) if isinstance(message.string, str) else tuple(message.string)
        )
        for message in catalogue
        if message.id
    }


def in_templates() -> Iterator[str]:
    environment = Environment(autoescape=True)
    for path in (PACKAGE / "templates").rglob("*.*"):
        for call in environment.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Getattr) and call.node.attr in CALLS:
                yield call.args[0].as_const()


def in_code() -> Iterator[str]:
    """Ids that stand in the code as they are; those that are put together belong to a family."""
    spoken = ("language", "panel", "pages", "preview", "voucher_words")
    for path in (*(PACKAGE / f"{name}.py" for name in spoken), *OFFICE):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            first = node.args[0] if node.args else None
            if node.func.attr in CALLS and isinstance(first, ast.Constant):
                yield str(first.value)


def expected() -> set[str]:
    families = {f"{family}.{name}" for family, names in FAMILIES.items() for name in names}
    return families | set(in_templates()) | set(in_code()) | {*SENTENCES, *NOTED, *BROKEN}


def test_every_id_that_is_used_is_there_and_no_other() -> None:
    used = expected()
    assert len(used) > 100
    for language in LANGUAGES:
        assert set(texts(language)) == used


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_doubtful(language: str) -> None:
    assert [id for id, said in texts(language).items() if not all(text.strip() == text != "" for text in said)] == []
    assert [message.id for message in po(language) if message.fuzzy and message.id] == []
    assert list(po(language).obsolete) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_the_same_in_every_language(language: str) -> None:
    english = texts("en")
    for id, said in texts(language).items():
        wanted = set(PLACEHOLDER.findall(english[id][0]))
        if "%(" in id:
            assert wanted == set(PLACEHOLDER.findall(id)), id
        for text in said:
            assert set(PLACEHOLDER.findall(text)) == wanted, (id, text)
            assert "%" not in PLACEHOLDER.sub("", text), (id, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_says_what_the_source_says(language: str) -> None:
    with (TRANSLATIONS / language / "LC_MESSAGES" / "punktgenau.mo").open("rb") as file:
        compiled = read_mo(file)
    assert said_by(compiled) == texts(language)
    assert compiled.plural_forms == po(language).plural_forms


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_stay_calm(language: str) -> None:
    for id, said in texts(language).items():
        for text in said:
            assert not re.search(r"[!！<>]|\.\.\.", text), (id, text)


def test_german_is_polite() -> None:
    for id, said in texts("de").items():
        assert not re.search(r"\b(du|dich|dir|dein\w*|euch|euer)\b", " ".join(said), re.IGNORECASE), id


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", sorted(CODES))
def test_a_customers_text_says_more_than_one_thing(code: str, language: str) -> None:
    """What happened, what became of the points, what next: two sentences at least."""
    text = Language(language).code(code)
    assert len(re.findall(r"[.。]", text)) >= 2, text


NOTHING_LOST = {"de": "Es gehen keine verloren.", "en": "None are lost.", "zh": "积分不会丢失。"}
NOTHING_TAKEN = {"de": "Es wurden keine Punkte abgezogen.", "en": "No points were taken.", "zh": "未扣除任何积分。"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_outcome_never_reads_as_done_or_not_done(language: str) -> None:
    for code, row in CODES.items():
        text = Language(language).code(code)
        if row.outcome == "unknown":
            assert NOTHING_LOST[language] in text, code
            assert NOTHING_TAKEN[language] not in text, code


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_that_nobody_knows_has_a_text(language: str) -> None:
    assert Language(language).code("moon_phase") == Language(language).code("error") != "code.error"


def test_movements_are_told_in_the_customers_language_with_the_providers_own_reason() -> None:
    german = Language("de")
    given = {"id": "e", "sequence": 1, "balance": 9, "at": "2026-11-22T10:00:00Z", "partner_id": None, "points": 1}
    order = {"order_reference": "A-1", "redemption_id": None}

    def entry(kind: str, reason: str, **more: object) -> Entry:
        return Entry.model_validate({**given, **order, "kind": kind, "reason": reason, **more}, strict=False)

    assert german.entry(entry("hold", "Held for order A-1")) == "Vorgemerkt für Bestellung A-1"
    assert german.entry_note(entry("hold", "Held for order A-1")) == ""
    assert german.entry_note(entry("release", "Hold ended, order A-1")) == "Vormerkung abgelaufen"
    assert german.entry_note(entry("release", "Kassensturz, order A-1")) == "Kassensturz, order A-1"
    assert german.entry_note(entry("reversal", "Returned, order A-1")) == ""
    assert german.entry_note(entry("reversal", "Returned, order A-2")) == "Returned, order A-2"
    assert german.entry_line(entry("reversal", "Returned, order A-1")) == (
        'Zurückgegeben, Bestellung <span class="pg-ref">A-1</span>'
    )
    hostile = entry("capture", "x", order_reference="<b>")
    assert german.entry_line(hostile) == 'Bestellung <span class="pg-ref">&lt;b&gt;</span> bezahlt'
    assert german.entry(entry("opening", "Opening balance", order_reference=None)) == "Anfangsstand"
    for kind in ("voucher", "payout"):  # the title says it; the provider's sentence has ids of its own
        assert german.entry_note(entry(kind, "Voucher vou_0001 bought", order_reference=None)) == ""
    assert german.entry(entry("birthday", "Alles Gute")) == "Alles Gute"
    assert german.entry_note(entry("birthday", "Alles Gute")) == ""
