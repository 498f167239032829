"""The start-up helper, with an installer that only writes down what it is asked to do."""

import ast
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from _source import ROOT

HELPER = ROOT / "examples" / "_boot.py"
SCRIPT = """\
import sys
import _boot
_boot.enter(__file__)
print("inside", sys.prefix, *sys.argv[1:])
"""
# Stands where the fetched uv would: `venv` is done for real, installing is only noted, or fails as FAIL_WITH says.
INSTALLER = """\
#!{python}
import os, subprocess, sys
with open(os.environ["CALLS"], "a") as calls:
    print(*sys.argv[1:], file=calls)
if sys.argv[1] == "venv":
    sys.exit(subprocess.call([{python!r}, "-m", "venv", "--without-pip", sys.argv[-1]]))
if "GATE" in os.environ and "-r" in sys.argv:
    with open(os.environ["GATE"] + ".reached", "w"), open(os.environ["GATE"]):
        pass
if "FAIL_WITH" in os.environ:
    sys.exit(os.environ["FAIL_WITH"])
"""
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the installer is a Unix script")


@dataclass(frozen=True)
class Checkout:
    """A folder as it is after cloning, with the installer fetched already."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [BASE_PYTHON, str(self.folder / "examples" / "start.py"), *arguments],
            env={**os.environ, "CALLS": str(self.folder / "calls"), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        process = self.start(*arguments, **environment)
        printed, _ = process.communicate()
        return process.returncode, printed

    def calls(self) -> list[str]:
        """What the installer was asked since the last time."""
        log = self.folder / "calls"
        calls = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return calls


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    examples = tmp_path / "examples"
    uv = tmp_path / ".venv" / "_boot" / "bin" / "uv"
    examples.mkdir()
    uv.parent.mkdir(parents=True)
    (examples / "_boot.py").write_bytes(HELPER.read_bytes())
    (examples / "_boot.lock").write_text("uv==1.0\n")
    (examples / "start.py").write_text(SCRIPT)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "requirements.lock").write_text(
        "lamp==1.0 \\\n    --hash=sha256:00\ndesk==2.0 \\\n    --hash=sha256:11\n"
    )
    uv.write_text(INSTALLER.format(python=BASE_PYTHON))
    uv.chmod(0o755)
    (uv.parent.parent / "complete").write_text(hashlib.sha256(b"uv==1.0\n").hexdigest())
    checkout = Checkout(tmp_path)
    yield checkout
    for process in checkout.started:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_first_start_sets_up_and_goes_on_inside(checkout: Checkout) -> None:
    code, printed = checkout.run("--port", "5001")
    assert code == 0
    assert "installing 2 packages" in printed
    assert printed.splitlines()[-1] == f"inside {checkout.folder / '.venv'} --port 5001"
    assert [call.split()[0] for call in checkout.calls()] == ["venv", "pip", "pip"]


def test_second_start_installs_nothing(checkout: Checkout) -> None:
    checkout.run()
    checkout.calls()
    assert checkout.run() == (0, f"inside {checkout.folder / '.venv'}\n")
    assert checkout.calls() == []


def test_what_is_compiled_stays_out_of_the_sources_where_that_is_wished(checkout: Checkout) -> None:
    (checkout.folder / "examples" / "other.py").write_text("")
    with (checkout.folder / "examples" / "start.py").open("a") as script:
        script.write("import other\nprint(other.__cached__)\n")
    _, printed = checkout.run(PYTHONDONTWRITEBYTECODE="1", PYTHONPYCACHEPREFIX="")
    compiled = Path(printed.splitlines()[-1])
    assert compiled.is_relative_to(checkout.folder / ".venv" / "bytecode")
    assert compiled.is_file()
    assert not (checkout.folder / "examples" / "__pycache__").exists()


@pytest.mark.scenario("S22", "every package is installed by the hash that the lock names, the project without its own")
def test_packages_are_checked_against_the_lock(checkout: Checkout) -> None:
    checkout.run()
    _, packages, project = checkout.calls()
    assert packages.endswith(f"--require-hashes -r {checkout.folder / 'requirements.lock'}")
    assert project.endswith(f"--no-deps --no-build-isolation -e {checkout.folder}")


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_change_of_what_it_is_made_from_brings_it_up_to_date(checkout: Checkout, changed: str) -> None:
    checkout.run()
    checkout.calls()
    with (checkout.folder / changed).open("a") as file:
        file.write("# changed\n")
    code, printed = checkout.run()
    assert code == 0
    assert "something has changed" in printed
    assert [call.split()[0] for call in checkout.calls()] == ["pip", "pip"], "the environment itself is left alone"


@pytest.mark.scenario("S22", "a package with another hash than the locked one ends set-up; no other installer is tried")
def test_wrong_hash_ends_set_up(checkout: Checkout) -> None:
    code, printed = checkout.run(FAIL_WITH="error: Hash mismatch for `lamp==1.0`")
    assert code == 1
    assert "not the one that requirements.lock names" in printed
    assert "pip, which takes longer" not in printed
    assert len(checkout.calls()) == 2


@pytest.mark.parametrize(
    ("heard", "sentence"),
    [
        ("write failed: No space left on device (os error 28)", "The disk is full"),
        ("failed to create directory: Permission denied", "cannot be written to"),
    ],
)
def test_trouble_of_this_machine_is_said_in_a_sentence(checkout: Checkout, heard: str, sentence: str) -> None:
    code, printed = checkout.run(FAIL_WITH=heard)
    assert code == 1
    assert sentence in printed
    assert "Traceback" not in printed


def test_set_up_that_failed_leaves_no_stamp_and_the_next_one_starts_clean(checkout: Checkout) -> None:
    checkout.run(FAIL_WITH="No space left on device")
    checkout.calls()
    code, _ = checkout.run()
    assert code == 0
    packages = checkout.calls()[-2]
    assert "--reinstall" in packages, "a package may be half there"
    checkout.run()
    assert checkout.calls() == []


def test_second_start_waits_for_the_one_that_sets_up(checkout: Checkout) -> None:
    gate = checkout.folder / "gate"
    os.mkfifo(gate)
    os.mkfifo(f"{gate}.reached")
    first = checkout.start(GATE=str(gate))
    with open(f"{gate}.reached"):
        second = checkout.start()
        assert second.stdout is not None
        assert second.stdout.readline() == "Another start is setting up; waiting for it.\n"
        with gate.open("w"):
            pass
        assert first.wait() == second.wait() == 0
    assert second.stdout.read() == f"inside {checkout.folder / '.venv'}\n"
    assert [call.split()[0] for call in checkout.calls()] == ["venv", "pip", "pip"]


def test_missing_lock_is_said_in_a_sentence(checkout: Checkout) -> None:
    (checkout.folder / "requirements.lock").unlink()
    code, printed = checkout.run()
    assert code == 1
    assert printed.startswith("requirements.lock is missing")


def test_helper_can_be_read_by_a_python_that_is_too_old() -> None:
    for script in (HELPER, ROOT / "examples" / "__main__.py", ROOT / "tests" / "__main__.py"):
        ast.parse(script.read_text(encoding="utf-8"), feature_version=(3, 6))
    assert not re.search(r"^from __future__ import annotations", HELPER.read_text(encoding="utf-8"), re.M)


def test_helper_needs_the_standard_library_only() -> None:
    tree = ast.parse(HELPER.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)
