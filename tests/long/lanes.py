"""Parts side by side: each lane is a processor, and takes the longest part that is left; some parts need all."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from long.parts import Part

TESTS = Path(__file__).resolve().parent.parent
QUIET_S = 30.0
TELL_EVERY_S = 10.0
"""Progress that overwrites its own line is passed on so often."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one part ended; `lines` is its section."""

    part: str
    lane: str
    exit_code: int
    lines: Sequence[str]
    duration_s: float

    @property
    def is_well(self) -> bool:
        """Whether it came to its end and every target was reached."""
        return self.exit_code == 0 and not any("**NO**" in line for line in self.lines)

    @property
    def line(self) -> str:
        """For the summary."""
        return f"{'ok    ' if self.is_well else 'FAILED'}  {self.part} ({self.duration_s:.0f} s{self.lane})"


def processors() -> list[int]:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


@dataclass(slots=True, kw_only=True)
class Running:
    """A part that runs, on which processors, and what it has said of its last line."""

    part: Part
    uses: Sequence[int]
    head: str
    lane: str
    child: subprocess.Popen[bytes]
    file: Path
    say: Say
    since: float = field(default_factory=time.monotonic)
    told_at: float = field(default_factory=time.monotonic)
    rest: bytes = b""

    def hear(self) -> bool:
        """Pass on what it says; whether it has ended."""
        assert self.child.stdout is not None
        more = os.read(self.child.stdout.fileno(), 65_536)
        *pieces, self.rest = re.split(rb"(?<=[\r\n])", self.rest + more)
        for piece in pieces if more else [*pieces, self.rest]:
            now = time.monotonic()
            if text := piece.decode("utf-8", "replace").strip():
                if piece.endswith(b"\r") and now - self.told_at < TELL_EVERY_S:
                    continue
                self.told_at = now
                self.say(f"{self.head}{piece.decode('utf-8', 'replace').rstrip() if self.head else text}")
        return not more

    def quiet(self) -> None:
        """Say that it still runs, where it has not said anything for long."""
        now = time.monotonic()
        if now - self.told_at > QUIET_S:
            self.told_at = now
            self.say(f"{self.head}... {now - self.since:.0f} s")

    def ended(self) -> Ended:
        """Its section and status, once it is over."""
        exit_code = self.child.wait()
        assert self.child.stdout is not None
        self.child.stdout.close()
        if self.file.is_file():
            lines = self.file.read_text("utf-8").splitlines()
        else:
            lines = [f"Came to no end (exit code {exit_code}). **NO**"]
            exit_code = exit_code or 1
        duration_s = time.monotonic() - self.since
        return Ended(part=self.part.name, lane=self.lane, exit_code=exit_code, lines=lines, duration_s=duration_s)


class Lanes:
    """Runs parts; use once."""

    def __init__(self, folder: Path, *, of: Sequence[int], share: float = 1.0, say: Say) -> None:
        """`of`: the processors, one for each lane."""
        self._folder, self._of, self._share, self._say = folder, list(of), share, say
        self._running: dict[int, Running] = {}

    def run(self, parts: Sequence[Part], more: Sequence[str] = ()) -> Generator[Ended, None, None]:
        """Yields each part that has ended, at once; `more` goes to every part."""
        waiting = sorted(parts, key=lambda part: (not part.alone, -part.minutes))
        only_one = len(parts) == 1
        with selectors.DefaultSelector() as hearing, _told_to_end(self._end):
            try:
                while waiting or self._running:
                    while (part := self._next(waiting)) and (uses := self._free(alone=only_one or part.alone)):
                        waiting.remove(part)
                        self._start(part, uses, more, hearing, names_lane=not only_one)
                    for key, _ in hearing.select(1.0):
                        one = self._running[key.fd]
                        if one.hear():
                            hearing.unregister(key.fd)
                            del self._running[key.fd]
                            yield one.ended()
                    for one in self._running.values():
                        one.quiet()
            finally:
                for one in self._running.values():
                    one.child.send_signal(signal.SIGTERM)
                for one in self._running.values():
                    one.child.communicate()

    def _next(self, waiting: Sequence[Part]) -> Part | None:
        """The first one that may run beside what runs."""
        serves = any(one.part.postgres for one in self._running.values())
        return next((part for part in waiting if not (part.postgres and serves)), None)

    def _free(self, *, alone: bool) -> list[int]:
        used = {processor for one in self._running.values() for processor in one.uses}
        if alone:
            return [] if used else self._of
        return [processor for processor in self._of if processor not in used][:1]

    def _start(
        self, part: Part, uses: Sequence[int], more: Sequence[str], hearing: selectors.BaseSelector, *, names_lane: bool
    ) -> None:
        numbers = "+".join(str(self._of.index(processor) + 1) for processor in uses)
        head = f"[{numbers} {part.name}]".ljust(16) + " " if names_lane else ""
        self._say(f"{head}begins")
        file = self._folder / f"{part.name}.md"
        arguments = part.arguments(processors=len(uses), share=self._share)
        child = subprocess.Popen(
            [sys.executable, *arguments, "--report", str(file), *more],
            cwd=TESTS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if hasattr(os, "sched_setaffinity") and names_lane:
            # What it starts later stays there as well.
            os.sched_setaffinity(child.pid, set(uses))
        assert child.stdout is not None
        one = Running(
            part=part,
            uses=uses,
            head=head,
            lane=f", lane {numbers}" if names_lane else "",
            child=child,
            file=file,
            say=self._say,
        )
        self._running[child.stdout.fileno()] = one
        hearing.register(child.stdout, selectors.EVENT_READ)

    def _end(self) -> None:
        raise KeyboardInterrupt


@contextmanager
def _told_to_end(end: Callable[[], None]) -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, lambda number, frame: end())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
