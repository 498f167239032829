"""The table of codes against the hand-written contract, the error tree and every place that names a code."""

import ast
import json
from pathlib import Path

import pytest

import punktgenau.errors as errors
from punktgenau.codes import CODES, Code, explain
from punktgenau.errors import DeclinedError, LimitError, PunktgenauError, UnavailableError

ROOT = Path(__file__).resolve().parents[2]
WIRE = json.loads((ROOT / "tests/wire/errors.json").read_text())["codes"]
DEFAULTS = {
    cls.default_code: cls
    for cls in vars(errors).values()
    if isinstance(cls, type) and issubclass(cls, PunktgenauError) and cls is not UnavailableError
}


@pytest.mark.parametrize("sample", WIRE, ids=lambda sample: sample["code"])
def test_the_table_says_what_the_contract_says(sample: dict[str, object]) -> None:
    row = CODES[str(sample["code"])]
    assert (row.error.__name__, row.outcome) == (sample["class"], sample["outcome"])
    assert (row.retry == "same_key") is sample["retryable"]


@pytest.mark.parametrize("code", DEFAULTS)
def test_every_class_has_the_row_of_its_own_code(code: str) -> None:
    row, cls = CODES[code], DEFAULTS[code]
    assert (row.error, row.outcome, row.retry) == (cls, cls.default_outcome, cls.default_retry)


def test_a_read_shares_the_code_of_an_unavailable_write() -> None:
    row = CODES[UnavailableError.default_code]
    assert row.error.__name__ == "OutcomeUnknownError"
    assert "A read moved nothing" in row.points


@pytest.mark.parametrize("row", CODES.values(), ids=lambda row: row.code)
def test_every_row_says_cause_points_and_next_step(row: Code) -> None:
    assert CODES[row.code] is row
    for text in (row.cause, row.points, row.next_step):
        assert text[0].isupper()
        assert text.endswith(".")
        assert len(text) <= 110
        assert "!" not in text
    if row.outcome == "unknown":
        assert row.retry == "same_key"
        assert "none are lost" in row.points


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CODES["mine"] = CODES["limit"]  # type: ignore[index]


def test_an_error_is_explained_by_its_code_or_else_by_its_class() -> None:
    assert explain(LimitError("No.", code="money_minimum")) is CODES["money_minimum"]
    assert explain(DeclinedError("No.", code="only_the_provider_knows")) is CODES["declined"]


def raised_codes() -> list[tuple[str, str, str]]:
    """Every literal code that SDK, engine and plugin give to an error: file and line, class, code."""
    found = []
    for path in [*ROOT.glob("sdk/punktgenau/**/*.py"), *ROOT.glob("plugin_flask/**/*.py")]:
        if "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error"):
                for keyword in node.keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant) and keyword.value.value:
                        found.append((f"{path.name}:{node.lineno}", node.func.id, str(keyword.value.value)))
    return found


def test_every_code_that_is_raised_has_a_row_with_its_outcome() -> None:
    wrong = [
        f"{where} raises {cls} with the code {code!r}"
        for where, cls, code in raised_codes()
        if code not in CODES or (cls == "OutcomeUnknownError" and CODES[code].outcome != "unknown")
    ]
    assert wrong == []
    assert len(raised_codes()) > 5
