"""The checks see what they are for: what is wrong in one way fails the check that is named, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from examples.your_shop import test_after

import _bent_adapters
import _bent_shops
from _conformance_kits import InProcess
from punktgenau.testing.conformance import Check, checks_of


class Adapter(InProcess):
    """Run by hand; as it is, another file runs all its checks."""

    bent: Any = None

    def provider(self) -> Any:
        return self.client if self.bent is None else self.bent


def check_of(kit: type, id: str) -> Check:
    (check,) = [check for check in checks_of(kit) if check.id == id]
    return check


def run(kit: object, check: Check) -> None:
    getattr(kit, f"test_{check.id.replace('-', '_')}")()


@contextmanager
def noticed(check: Check) -> Iterator[None]:
    """The check fails, and says which it is, why it is there, and what to do."""
    with pytest.raises(Exception) as failed:
        yield
    (note,) = failed.value.__notes__
    assert str(check) in note
    assert "to do: " in f"{failed.value}{note}"


@pytest.mark.parametrize("name", _bent_adapters.BENT)
def test_wrong_adapter_fails_the_named_check(name: str) -> None:
    id, bend = _bent_adapters.BENT[name]
    check, kit = check_of(Adapter, id), Adapter()
    with ExitStack() as stack:
        kit.wire(stack)
        run(kit, check)  # the client as it is passes
        kit.bent = bend(kit.client)
        with noticed(check):
            run(kit, check)


@pytest.mark.parametrize("name", _bent_shops.BENT)
def test_wrong_shop_fails_the_named_check(name: str, tmp_path: Path) -> None:
    id, edits = _bent_shops.BENT[name]
    kit = test_after.TestYourShop()
    check, source = check_of(type(kit), id), kit.file.read_text("utf-8")
    for old, new in edits:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    kit.file = tmp_path / "bent.py"
    kit.file.write_text(source, "utf-8")
    with kit.running(tmp_path), noticed(check):
        run(kit, check)
