"""Code that is changed while it is loaded, and which lines of it are executed."""

import importlib.machinery
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any


@dataclass(frozen=True)
class Change:
    """One file of the package and its changed text."""

    path: Path
    text: str


def changed_code(old: str, new: str, path: str) -> dict[tuple[str, int], CodeType]:
    """The functions of a file that differ, by qualified name and first line, with their new code."""
    before, after = (list(_functions(compile(text, path, "exec"))) for text in (old, new))
    return {
        (one.co_qualname, one.co_firstlineno): other for one, other in zip(before, after, strict=True) if one != other
    }


def _functions(code: CodeType) -> Iterator[CodeType]:
    """Those that can be exchanged in a module that is loaded: functions and methods, not what stands within them."""
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if one.co_flags & 0x02:  # CO_NEWLOCALS: a function; a class's body has it not.
                yield one
            else:
                yield from _functions(one)


def exchange(change: Change, functions: Iterable[FunctionType]) -> None:
    """Put changed code into the functions that exist, and into what is loaded from now on."""
    path = str(change.path)
    new = changed_code(change.path.read_text("utf-8"), change.text, path)
    if not new:
        raise AssertionError(f"nothing differs in {path}")
    for function in functions:
        old = function.__code__
        code = new.get((old.co_qualname, old.co_firstlineno)) if old.co_filename == path else None
        if code is not None:
            function.__code__ = code
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        return compile(change.text, path, "exec") if self.path == path else original(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]


class Watching:
    """Which lines of some files are executed, by whatever thread."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files = frozenset(files)
        self.lines: set[tuple[str, int]] = set()

    def __enter__(self) -> "Watching":
        threading.settrace(self._called)
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def _called(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        return self._line if frame.f_code.co_filename in self._files else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
        if event == "line":
            self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line
