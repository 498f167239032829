"""For pytest-xdist: `pytest_plugins = ["punktgenau.testing.conformance.plugin"]` in the root's conftest.py.

There the process that counts is not the one that runs the checks, so it has to be told. Otherwise it is not needed.
"""

from __future__ import annotations

import pytest

from punktgenau.testing.conformance.counting import install


def pytest_configure(config: pytest.Config) -> None:
    """Count from the beginning."""
    install(config)
