"""The adapter's checks see what they are for: each adapter that is wrong in one way fails the check that is named."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from _bent_adapters import BENT
from _conformance_kits import InProcess
from punktgenau.testing.conformance import Check, checks_of


class Kit(InProcess):
    """Run by hand; pytest collects it in another file."""

    bent: Any = None

    def provider(self) -> Any:
        return self.client if self.bent is None else self.bent


def run(kit: Kit, check: Check) -> None:
    getattr(kit, f"test_{check.id.replace('-', '_')}")()


@pytest.mark.parametrize("name", BENT)
def test_wrong_adapter_fails_the_named_check(name: str) -> None:
    id, bend = BENT[name]
    (check,) = [check for check in checks_of(Kit) if check.id == id]
    with ExitStack() as stack:
        kit = Kit()
        kit.wire(stack)
        run(kit, check)  # the client as it is passes
        kit.bent = bend(kit.client)
        with pytest.raises(Exception) as failed:
            run(kit, check)
        (note,) = failed.value.__notes__
        assert str(check) in note
        assert "to do: " in f"{failed.value}{note}"
