"""M-P2 and M-P4: what a client costs before its first call, in modules, memory and bytes. No clock is needed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Row, counted

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES_MOST = 25
MEMORY_MB_MOST = 2.0
WHEEL_KB_MOST = 300
CORE_KB_MOST = 450
"""What a change must not make of client and engine unseen; the figure to reach stays the one above."""
FOR_DEVELOPERS = ("punktgenau/sandbox/", "punktgenau/testing/")
PICTURES = (".png", ".jpg", ".webp", ".gif", ".svg")
NOT_WANTED = frozenset({"flask", "werkzeug", "jinja2", "sqlalchemy", "alembic", "psycopg", "responses", "http.server"})

REPORT = """
import json, sys
def memory_kb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(json.dumps([sorted(sys.modules), memory_kb()]))
"""
# The same records without the client: the package's own __init__ is not run.
FLOOR = """
import sys, types, requests
package = types.ModuleType("punktgenau")
package.__path__ = [sys.argv[1]]
sys.modules["punktgenau"] = package
import punktgenau.records
session = requests.Session()
"""
READY = """
from punktgenau import Client
client = Client("http://127.0.0.1:9", client_id="demo-shop", client_secret="demo-secret")
"""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a fresh process has loaded, and the most memory it has used."""

    modules: frozenset[str]
    memory_mb: float


def footprint(code: str, *, times: int = 3) -> Footprint:
    """Of this code in a process of its own; of the memory the least of a few, which repeats to a tenth of an MB."""
    command = [sys.executable, "-c", code + REPORT, str(ROOT / "sdk" / "punktgenau")]
    told = [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(times)]
    return Footprint(frozenset(told[0][0]), min(memory_kb for _, memory_kb in told) / 1024)


@dataclass(frozen=True, slots=True)
class Wheel:
    """Bytes of the built wheel: all of it but the pictures, and its parts as they are packed.

    Client and engine; the extension, and of that its languages; sandbox and test kit; what is left lists the files.
    """

    whole: int
    core: int
    extension: int
    languages: int
    kit: int
    pictures: int

    @property
    def listed(self) -> int:
        """What the archive says of its files, and the package of itself."""
        return self.whole - self.core - self.extension - self.kit


def wheel() -> Wheel:
    """Build one and weigh it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        (built,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(built) as archive:
            packed = {one.filename: one.compress_size for one in archive.infolist()}
        pictures = sum(size for name, size in packed.items() if name.endswith(PICTURES))
        extension = sum(size for name, size in packed.items() if name.startswith("flask_punktgenau/"))
        languages = sum(size for name, size in packed.items() if name.endswith(".mo"))
        kit = sum(size for name, size in packed.items() if name.startswith(FOR_DEVELOPERS))
        core = sum(size for name, size in packed.items() if name.startswith("punktgenau/")) - kit
        return Wheel(built.stat().st_size - pictures, core, extension, languages, kit, pictures)


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """Modules, memory, wheel, dependencies."""
    floor, ready = footprint(FLOOR, times=5), footprint(READY, times=5)
    unwanted = sorted(NOT_WANTED & ready.modules) + [name for name in ready.modules if ".sandbox" in name]
    built = wheel()
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    beside = "requests + the same records"
    more = len(ready.modules) - len(floor.modules)
    more_mb = round(ready.memory_mb - floor.memory_mb, 2)
    return [
        counted("M-P2", f"modules of a ready client over {beside}", more, most=MODULES_MOST),
        counted("M-P2", f"peak memory of a ready client over {beside}", more_mb, most=MEMORY_MB_MOST, unit="MB"),
        counted("M-P2", "Flask, SQLAlchemy, sandbox and the like among them", len(unwanted), most=0, exactly=True),
        counted("M-P4", "wheel without pictures", built.whole // 1000, most=WHEEL_KB_MOST, unit="kB"),
        counted("M-P4", "of it client and engine, packed", built.core // 1000, most=WHEEL_KB_MOST, unit="kB"),
        Row(figure="M-P4", what="of it the extension, packed", ours=f"{built.extension // 1000} kB"),
        Row(figure="M-P4", what="of that three languages, packed", ours=f"{built.languages // 1000} kB"),
        Row(figure="M-P4", what="of it sandbox and test kit, packed", ours=f"{built.kit // 1000} kB"),
        Row(figure="M-P4", what="of it the archive's list of files, and the README", ours=f"{built.listed // 1000} kB"),
        Row(figure="M-P4", what="pictures in the wheel", ours=f"{built.pictures // 1000} kB"),
        Row(figure="M-P4", what="dependencies of the bare SDK", ours=", ".join(needed)),
    ]
