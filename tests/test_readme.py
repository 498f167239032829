"""What the README shows is what there is: its diff, its test, its commands and its map."""

import difflib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from _world import provider_url

__all__ = ["provider_url"]
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.S)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_the_diff_is_the_real_one():
    before, after = (
        (ROOT / "examples/your_shop" / f"{name}.py").read_text().splitlines() for name in ("before", "after")
    )
    real = difflib.unified_diff(before, after, "before.py", "after.py", lineterm="", n=2)
    assert blocks("diff") == ["\n".join(real) + "\n"]


@pytest.mark.parametrize(
    ("word", "says"), [("RequestsMock", "1 passed"), ("AdapterConformance", " not applicable in ")]
)
def test_its_tests_run(tmp_path: Path, word: str, says: str):
    (shown,) = [block for block in blocks("python") if word in block]
    file = tmp_path / "test_shown.py"
    file.write_text(shown)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert says in done.stdout


def test_the_quick_start_runs(provider_url: str):
    (shown,) = [block for block in blocks("python") if "fake_provider" not in block]
    command = [
        sys.executable,
        "-W",
        "error",
        "-c",
        shown.replace("http://127.0.0.1:8600", provider_url) + "\nclient.close()",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_what_it_points_to_is_there(target: str):
    assert (ROOT / target).exists()


def test_the_commands_it_names_exist():
    from flask_punktgenau.cli import punktgenau

    named = set(re.findall(r"punktgenau (upgrade|recover|worker|doctor|sandbox)\b", README))
    assert named == {"upgrade", "recover", "worker", "doctor", "sandbox"}
    assert named <= set(punktgenau.commands)


def test_the_path_of_a_hold_is_two_files():
    row = next(line for line in README.splitlines() if "how a hold is sent" in line)
    files = re.findall(r"\((sdk/[^)]+)\)", row)
    assert len(files) == 2
    first, second = ((ROOT / file).read_text() for file in files)
    assert "def authorize(" in first
    assert "def call(" in second
    assert "_adapter.send(" in second
