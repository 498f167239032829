"""Makes `.venv` from the hashed lock file and goes on inside it.

Shared by `python3 examples` and `python3 tests`. Standard library only, because it runs before anything is installed,
and no syntax newer than Python 3.6, so that an old Python can still say in a sentence what is missing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
LOCK = ROOT / "requirements.lock"
INSTALLER_LOCK = ROOT / "examples" / "_boot.lock"
STAMP = VENV / ".punktgenau-stamp"
UNFINISHED = VENV / ".punktgenau-unfinished"
OLDEST = (3, 11)
DISK_NEEDED_MB = 900
ENTERED = "_PUNKTGENAU_ENTERED"

# What installers print, and what it means in a sentence. The first kind stops set-up; the second may be the fast
# installer's trouble alone, because pip reads its own settings for mirrors, proxies and certificates.
STOPS = (
    (("no space left", "disk quota"), f"The disk is full; about {DISK_NEEDED_MB} MB are needed."),
    (("read-only file system", "permission denied"), f"{VENV} cannot be written to."),
    (
        ("do not match the hashes", "hash mismatch"),
        "A downloaded package is not the one that requirements.lock names; it was not installed.",
    ),
    (
        ("no module named pip",),
        "This Python has no pip. Debian and Ubuntu: apt-get install python3-pip. Elsewhere: python3 -m ensurepip.",
    ),
)
UNREACHED = (
    (
        ("name resolution", "name or service", "dns error", "getaddrinfo failed", "unreachable", "refused", "proxy"),
        "The package index cannot be reached. The first start needs the network, or a mirror that pip knows of.",
    ),
    (
        ("certificate", "unknownissuer", "ssl"),
        "The package index's certificate is not trusted here; set SSL_CERT_FILE to your network's CA bundle.",
    ),
)


class SetupError(Exception):
    """Set-up cannot go on; the text is for the person who started it."""


class StepError(SetupError):
    """A tool that set-up calls has failed; `hopeless` when no other tool would do better."""

    def __init__(self, what: str, output: str) -> None:
        heard = output.lower()
        meanings = [text for signs, text in STOPS + UNREACHED if any(sign in heard for sign in signs)]
        self.hopeless = any(sign in heard for signs, _ in STOPS for sign in signs)
        self.unreached = not self.hopeless and bool(meanings)
        tail = "\n".join("    " + line for line in output.strip().splitlines()[-12:])
        super().__init__(f"{what} did not work. {meanings[0] if meanings else ''}\nWhat it printed last:\n{tail}")


def enter(script: str) -> None:
    """Returns once this process runs in an up-to-date `.venv`; until then sets it up and starts `script` in it."""
    if sys.version_info < OLDEST:
        raise SystemExit(_too_old())
    sys.path.insert(0, str(ROOT))
    _keep_bytecode()
    stamp = _stamp()
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    if inside and (os.environ.pop(ENTERED, "") == stamp or _ready(stamp)):
        return
    try:
        if not _ready(stamp):
            _set_up(stamp)
    except SetupError as error:
        raise SystemExit(f"\nPunktgenau could not be set up. {error}") from None
    except OSError as error:
        raise SystemExit(f"\nPunktgenau could not be set up in {VENV}: {error.strerror or error}.") from None
    except KeyboardInterrupt:
        raise SystemExit("\nStopped. The next start carries on from here.") from None
    command = [str(VENV_PYTHON), str(Path(script).resolve()), *sys.argv[1:]]
    environment = {**os.environ, ENTERED: stamp}
    sys.stdout.flush()
    if sys.platform == "win32":
        raise SystemExit(subprocess.call(command, env=environment))
    os.execve(command[0], command, environment)


def _keep_bytecode() -> None:
    """Where nothing compiled may be kept beside the sources, it is kept in `.venv`.

    Otherwise each of the many processes that are started would compile all that it imports.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = os.environ.get("PYTHONPYCACHEPREFIX") or str(VENV / "bytecode")


def _too_old() -> str:
    names = [f"python3.{minor}" for minor in range(20, OLDEST[1] - 1, -1)]
    newer = next((name for name in names if shutil.which(name)), None)
    hint = f"This machine has {newer}: use it instead of python3." if newer else "Please install a newer one."
    running = ".".join(str(number) for number in sys.version_info[:2])
    return f"Punktgenau needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {running}. {hint}"


def _stamp() -> str:
    """One value for everything that the environment is made from."""
    digest = hashlib.sha256()
    for part in (LOCK, ROOT / "pyproject.toml", INSTALLER_LOCK):
        if not part.is_file():
            raise SystemExit(f"{part.name} is missing from {part.parent}; this copy of Punktgenau is not complete.")
        digest.update(part.read_bytes())
    digest.update(repr((sys.version_info[:3], sys.platform, str(ROOT))).encode())
    return digest.hexdigest()


def _ready(stamp: str) -> bool:
    try:
        return STAMP.read_text() == stamp and VENV_PYTHON.exists()
    except OSError:
        return False


def _set_up(stamp: str) -> None:
    first = not VENV_PYTHON.exists()
    VENV.mkdir(exist_ok=True)
    with (VENV / ".punktgenau-lock").open("a+b") as lock:
        _take(lock.fileno())
        if _ready(stamp):
            return
        free_mb = shutil.disk_usage(VENV).free // 1_000_000
        if first and free_mb < DISK_NEEDED_MB:
            raise SetupError(f"It needs about {DISK_NEEDED_MB} MB, and {free_mb} MB are free.")
        started = time.monotonic()
        _say(f"Setting up Punktgenau in {VENV} ({'once, about half a minute' if first else 'something has changed'}).")
        STAMP.unlink(missing_ok=True)
        # Left behind by a set-up that was killed: a package may then be half there and look complete.
        again = UNFINISHED.exists()
        UNFINISHED.touch()
        Installation(lock.fileno(), again=again).make()
        fresh = STAMP.with_suffix(".new")
        fresh.write_text(stamp)
        UNFINISHED.unlink()
        fresh.replace(STAMP)
        _say(f"Ready after {time.monotonic() - started:.0f} s.")


def _take(descriptor: int) -> None:
    """Takes the lock that the operating system gives back when its last holder ends, however it ends."""
    try:
        _lock(descriptor, wait=False)
    except OSError:
        _say("Another start is setting up; waiting for it.")
        _lock(descriptor, wait=True)


def _lock(descriptor: int, *, wait: bool) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def _say(line: str) -> None:
    print(line, flush=True)


class Installation:
    """The steps that fill `.venv`: uv where it works, pip where it does not."""

    def __init__(self, lock: int, *, again: bool) -> None:
        self._lock = lock
        self._again = again
        self._python: str = getattr(sys, "_base_executable", None) or sys.executable
        self._folder = VENV / "_boot"

    def make(self) -> None:
        """Raises StepError with a sentence for the person when neither way works."""
        try:
            uv = self._installer()
            self._environment(uv, "venv", "--quiet", "--allow-existing", "--python", self._python, VENV)
            self._install("--reinstall", uv, "pip", "install", "--quiet", "--python", VENV_PYTHON)
        except StepError as error:
            if error.hopeless:
                raise
            _say("  the fast installer did not work here; going on with pip, which takes longer")
            # pip works on the environment from outside, because a bare Debian cannot put a pip into it.
            self._environment(self._python, "-m", "venv", "--without-pip", VENV)
            pip = [self._python, "-m", "pip", "--python", str(VENV_PYTHON)]
            self._install("--force-reinstall", *pip, "install", "--quiet", "--root-user-action=ignore")

    def _installer(self) -> Path:
        """The pinned uv, fetched by pip into a folder of its own; without pip, the uv of this machine."""
        uv = self._folder / "bin" / ("uv.exe" if sys.platform == "win32" else "uv")
        mark = self._folder / "complete"
        wanted = hashlib.sha256(INSTALLER_LOCK.read_bytes()).hexdigest()
        if uv.exists() and mark.is_file() and mark.read_text() == wanted:
            return uv
        _say("  fetching the installer")
        shutil.rmtree(self._folder, ignore_errors=True)
        pip = [self._python, "-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--require-hashes"]
        try:
            self._run("Fetching the installer", *pip, "--target", self._folder, "-r", INSTALLER_LOCK)
        except StepError as error:
            found = shutil.which("uv")
            if found is not None:
                return Path(found)
            error.hopeless = error.hopeless or error.unreached
            raise
        mark.write_text(wanted)
        return uv

    def _environment(self, *command: "str | Path") -> None:
        """One that is there already is left alone: somebody may be working in it."""
        ask = [str(VENV_PYTHON), "-I", "-c", "import sys; print(sys.version)"]
        if (VENV / "pyvenv.cfg").is_file() and VENV_PYTHON.exists():
            answer = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
            if answer == sys.version:
                return
        _say("  making the environment")
        self._run("Making the environment", *command)

    def _install(self, anew: str, *command: "str | Path") -> None:
        packages = sum(1 for line in LOCK.read_text().splitlines() if "==" in line and line[0].isalnum())
        _say(f"  installing {packages} packages, each checked against requirements.lock")
        options = [anew] if self._again else []
        self._run("Installing the packages", *command, *options, "--require-hashes", "-r", LOCK)
        _say("  linking Punktgenau itself")
        self._run("Linking Punktgenau", *command, "--no-deps", "--no-build-isolation", "-e", ROOT)

    def _run(self, what: str, *command: "str | Path") -> None:
        settings = {
            "UV_SYSTEM_CERTS": "true",
            "UV_PYTHON_DOWNLOADS": "never",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "PIP_RETRIES": "2",
            "PIP_USER": "0",
            "PIP_REQUIRE_VIRTUALENV": "0",
        }
        done = subprocess.run(
            [str(part) for part in command],
            env={**os.environ, **settings},
            cwd=str(ROOT),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            # The tool holds the lock too: when this process is killed, the next start waits for the tool to end.
            pass_fds=() if sys.platform == "win32" else (self._lock,),
        )
        if done.returncode != 0:
            raise StepError(what, done.stdout)
