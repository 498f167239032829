"""The project's own files, as the tests about style and packaging see them."""

import ast
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"punktgenau": ROOT / "sdk" / "punktgenau", "flask_punktgenau": ROOT / "plugin_flask" / "flask_punktgenau"}
_WASTE = {".git", ".venv", "__pycache__", "build", "dist", "instance", ".hypothesis"}


@dataclass(frozen=True)
class Module:
    """One Python file, read and parsed once."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def at(self, node: ast.AST, what: str) -> str:
        """A finding that an editor can jump to."""
        return f"{self.name}:{getattr(node, 'lineno', 1)} {what}"

    def inside(self, *folders: str) -> bool:
        return any(self.name.startswith(folder) for folder in folders)


def committed_files() -> list[Path]:
    """Every file that is in the repository or would be with the next commit; without git, every file but waste."""
    git = shutil.which("git")
    if git is not None and (ROOT / ".git").exists():
        listing = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return sorted(path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file())
    return sorted(
        path for path in ROOT.rglob("*") if path.is_file() and not any(map(_is_waste, path.relative_to(ROOT).parts))
    )


def _is_waste(part: str) -> bool:
    return part in _WASTE or part.endswith(("_cache", ".egg-info"))


def committed_texts() -> Iterator[tuple[str, str]]:
    """Name and text of every committed file that is text."""
    for path in committed_files():
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@cache
def modules() -> tuple[Module, ...]:
    """Every Python file of the project."""
    found = []
    for path in committed_files():
        if path.suffix == ".py":
            text = path.read_text(encoding="utf-8")
            found.append(Module(path, text, ast.parse(text, filename=str(path))))
    return tuple(found)
