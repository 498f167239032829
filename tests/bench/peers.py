"""The other SDKs, in an environment of their own: made from `peers.lock`, used by the benchmark alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LOCK = HERE / "peers.lock"
FOLDER = ROOT / ".venv-peers"
PYTHON = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
UV = ROOT / ".venv/_boot/bin/uv"
CANDIDATE = HERE / "candidate.py"
Found = Mapping[str, Any]


def install() -> str:
    """Make the environment where it is not there or not as locked; what went wrong, or an empty text."""
    stamp, wanted = FOLDER / "made-from", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if PYTHON.exists() and stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return ""
    if UV.exists():
        make = [str(UV), "venv", "--quiet", "--clear", str(FOLDER)]
        install_with = [str(UV), "pip", "install", "--quiet", "--python", str(PYTHON)]
    else:
        make = [sys.executable, "-m", "venv", "--clear", str(FOLDER)]
        install_with = [str(PYTHON), "-m", "pip", "install", "--quiet"]
    for command in (make, [*install_with, "--require-hashes", "-r", str(LOCK)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["it ended without a word"])[-1][:150]
    stamp.write_text(wanted, "utf-8")
    return ""


def ask(what: str, name: str, url: str, first: int, second: int, *, peer: bool) -> Found | str:
    """Run one candidate; what it found, or why it did not run."""
    return heard(start(what, name, url, first, second, peer=peer))


def start(what: str, name: str, url: str, first: int, second: int, *, peer: bool) -> subprocess.Popen[str]:
    """Begin one candidate; `heard` waits for it."""
    python = str(PYTHON) if peer else sys.executable
    command = [python, str(CANDIDATE), what, name, url, str(first), str(second)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def heard(process: subprocess.Popen[str]) -> Found | str:
    """What a candidate found, or why it did not run."""
    try:
        out, trouble = process.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "it took too long"
    except OSError as error:
        return str(error)
    if process.returncode:
        return (trouble.strip().splitlines() or ["it ended without a word"])[-1][:100]
    found: Found = json.loads(out.splitlines()[-1])
    return found
