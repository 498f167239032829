"""Nothing that the engine says in English reaches an operator of another language: every sentence and code has words.

What is raised is read from the source, so that a new sentence without words fails here.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import punktgenau.checkout
from flask_punktgenau.backoffice_gate import problem_text
from flask_punktgenau.backoffice_kinds import CAUSES
from flask_punktgenau.backoffice_language import OfficeLanguage
from flask_punktgenau.backoffice_words import BROKEN, JOURNAL_CODES, NOTED, SENTENCES, known
from flask_punktgenau.formatting import LANGUAGES
from punktgenau.codes import CODES
from punktgenau.errors import InvalidArgumentError, NotSentError, PunktgenauError, ReturnConflictError

SDK = Path(punktgenau.checkout.__file__).parent.parent
NOT_REACHED = frozenset({
    "accruing", "after_payment", "allocation", "amended", "amended_rewards", "amending", "balances", "cart", "engine",
    "examining", "looking", "parcels", "payment", "personal", "placing", "quote", "rewards", "rules", "settings",
    "shipping", "vouchers",
})  # fmt: skip
"""Modules of the engine whose errors no operator meets: orders are placed, changed and shipped by the shop itself."""
NEVER_SHOWN = {
    # What a shop configures, which ends when it starts.
    "The journal runs on SQLite or PostgreSQL, not on ….",
    "The journal needs a SQLite file: memory is lost with the process.",
    "The journal's database has no driver here: …",
    "The journal's database address cannot be read; in passwords @ : / are written as %40 %3A %2F.",
    "the rest of a password stands where the host should be",
    # Each of its two beginnings is a sentence of its own.
    "…; the rest is still to be shipped. Nothing was booked; what will not be, is taken off by `amend`.",
    "The file is not a statement: …. Nothing was compared.",
    # The pages themselves hand mappings of whole numbers in.
    "lines must map line ids to quantities.",
}


def text_of(node: ast.expr) -> str | None:
    """A text as it stands in the source, with … for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node


def raised(path: Path) -> Iterator[str]:
    for name, call in calls(path):
        if name.endswith("Error") and name not in {"AssertionError", "_StaleError", "_BrokenError"} and call.args:
            text = text_of(call.args[0])
            if text is not None:
                yield text


def test_every_sentence_of_an_error_has_words() -> None:
    paths = [path for path in (SDK / "checkout").glob("*.py") if path.stem not in NOT_REACHED]
    paths += (SDK / "checkout" / "tax").glob("*.py")
    without = [
        (path.stem, text)
        for path in paths
        for text in raised(path)
        if text not in NEVER_SHOWN and known(text, SENTENCES) is None
    ]
    assert without == []


@pytest.mark.parametrize("name", ["statements.py", "statement_files.py"])
def test_every_sentence_about_a_statement_has_words(name: str) -> None:
    said = [text for text in raised(SDK / name) if not text.startswith("its totals")]
    assert [text for text in said if text not in NEVER_SHOWN and known(text, SENTENCES) is None] == []


def test_every_reason_for_a_broken_line_has_words() -> None:
    reasons = [text_of(call.args[0]) for name, call in calls(SDK / "statement_files.py") if name == "_BrokenError"]
    reasons += [
        text_of(keyword.value)
        for name, call in calls(SDK / "statement_files.py")
        if name == "BrokenLine"
        for keyword in call.keywords
    ]
    reasons += [text_of(call.args[1]) for name, call in calls(SDK / "checkout" / "reconcile.py") if name == "broken"]
    said = [text for text in reasons if text]
    assert len(said) >= 12
    assert [text for text in said if known(text, BROKEN) is None] == []


def test_everything_that_is_noted_of_a_difference_has_words() -> None:
    said: list[str] = []
    for name in ("findings", "matched", "repairs"):
        for called, call in calls(SDK / "checkout" / f"{name}.py"):
            texts = [keyword.value for keyword in call.keywords if keyword.arg in {"note", "result"}]
            texts += call.args[3:4] if called == "Finding" else []
            texts += call.args[:1] if called == "_StaleError" else []
            said += [text for one in texts if (text := text_of(one))]
    assert len(said) >= 15
    assert [text for text in said if known(text, NOTED) is None] == []


def test_every_code_that_the_journal_keeps_has_words() -> None:
    kept: set[str] = set()
    for path in (SDK / "checkout").glob("*.py"):
        for name, call in calls(path):
            if name in {"Verdict", "finish", "_finish_operation", "replace"}:
                kept |= {
                    str(keyword.value.value)
                    for keyword in call.keywords
                    if keyword.arg in {"code", "reason"} and isinstance(keyword.value, ast.Constant)
                }
    # Causes have words of their own; of these events nobody knows what they are about.
    kept -= {"", *CAUSES, "unknown_type", "unknown_redemption", "unknown_member", "contradicts"}
    assert {"key_spent", "held_in_part", "not_as_written"} <= kept
    assert kept - set(CODES) - set(JOURNAL_CODES) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_the_languages_own(language: str) -> None:
    t = OfficeLanguage(language)
    for code in (*CODES, *JOURNAL_CODES):
        said = t.answer(code)
        assert f"office.code.{code}" not in said, code
        assert code in said
        if language != "en":
            assert said != OfficeLanguage("en").answer(code)
    for sentence in (*SENTENCES, *NOTED, *BROKEN):
        assert (t.gettext(sentence) == sentence) == (language == "en" or not re.search(r"[a-z]{3}", sentence)), sentence


TOLD: list[tuple[PunktgenauError, str, str]] = [
    (
        ReturnConflictError(
            "Return R-1 of order A-1 was asked for with other content. The first one stands, this one did nothing; "
            "give it a reference of its own."
        ),
        "Nichts wurde geändert. Rückgabe R-1 von Bestellung A-1 gibt es schon mit anderem Inhalt. Die erste gilt; "
        "geben Sie dieser eine eigene Nummer.",
        "未作任何更改。 订单 A-1 的退货 R-1 已存在且内容不同。以第一次为准；请为本次使用新的编号。",
    ),
    (
        InvalidArgumentError("reason must be 1 to 200 printable characters.", field="reason"),
        "Nichts wurde geändert. Grund: 1 bis 200 druckbare Zeichen.",
        "未作任何更改。 原因：须为 1 至 200 个可显示字符。",
    ),
    (
        NotSentError("capture did not reach the provider. Nothing happened there; try again."),
        "Nichts wurde geändert. Der Anbieter war nicht zu erreichen. Versuchen Sie es später noch einmal. (not_sent)",
        "未作任何更改。 无法连接积分方。请稍后再试。（not_sent）",
    ),
]


@pytest.mark.parametrize(("error", "german", "chinese"), TOLD)
def test_an_error_is_told_in_the_operators_language(error: PunktgenauError, german: str, chinese: str) -> None:
    assert problem_text(OfficeLanguage("de"), error) == german
    assert problem_text(OfficeLanguage("zh"), error) == chinese
    assert error.message in problem_text(OfficeLanguage("en"), error).replace("The reason", "reason")


def test_what_fills_a_sentence_is_translated_as_well() -> None:
    t = OfficeLanguage("de")
    noted = "here it is capturing, with capture not resolved"
    assert t.noted(noted) == "hier ist der Zustand: Wird eingelöst; nicht geklärt: einlösen"
    assert t.noted("nothing was done: the order is cancelled by now") == (
        "nichts wurde getan: die Bestellung ist inzwischen: Storniert"
    )
    assert t.noted("could not be done: not_sent").endswith("(not_sent)")
    assert t.noted("what nobody has written") == "what nobody has written"
    assert t.broken("points: not a whole number") == "points: keine ganze Zahl"
