"""What is delivered: the wheel's contents, what it needs, and the lock file; all of it offline."""

import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterable
from email.parser import Parser
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from _source import PACKAGES, ROOT, committed_files, committed_texts

LOCK = ROOT / "requirements.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REMAKE = (
    "uv pip compile --universal --generate-hashes --no-header --all-extras --python-version 3.11 pyproject.toml "
    "-o requirements.lock"
)
# Runs before the code under test: only the standard library, the unpacked wheel and what it asks for can be imported.
ONLY = """
import sys
wheel, site, *refused = sys.argv[1:]
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} is not among what this wheel asks for", name=name)
sys.meta_path.insert(0, Refuse())
sys.path += [wheel, site]
"""
IMPORT_BARE = """
import punktgenau
assert punktgenau.__file__.startswith(wheel), punktgenau.__file__
for name in punktgenau.__all__:
    getattr(punktgenau, name)
assert not {"flask", "sqlalchemy", "alembic", "werkzeug", "jinja2"} & set(sys.modules)
"""
LOAD_TEMPLATES = """
import flask, flask_punktgenau, jinja2
assert flask_punktgenau.__file__.startswith(wheel), flask_punktgenau.__file__
app = flask.Flask("shop")
flask_punktgenau.Punktgenau(app)
loader = jinja2.FileSystemLoader(wheel + "/flask_punktgenau/templates")
environment = app.jinja_env.overlay(loader=loader)
for name in loader.list_templates():
    environment.get_template(name)
    print(name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    """A folder with what the wheel puts into site-packages."""
    folder = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def asked_for(unpacked: Path, extra: str = "") -> list[Requirement]:
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    lines = Parser().parsestr(metadata.read_text(encoding="utf-8")).get_all("Requires-Dist", [])
    return applying((Requirement(line) for line in lines), {extra})


def applying(requirements: Iterable[Requirement], extras: set[str]) -> list[Requirement]:
    return [
        requirement
        for requirement in requirements
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""})
    ]


def closure(wanted: list[Requirement], *, of_wheel: Path | None = None) -> set[str]:
    """Names of the distributions that an installer would bring along here."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            if name == "punktgenau" and of_wheel is not None:
                wanted += asked_for(of_wheel, extra)
            elif name != "punktgenau":
                found.add(name)
                wanted += applying(map(Requirement, distribution(name).requires or []), {extra})
    return found


def run_with_only(unpacked: Path, distributions: set[str], code: str) -> str:
    owners = packages_distributions()
    refused = [top for top, names in owners.items() if not {canonicalize_name(name) for name in names} & distributions]
    arguments = [str(unpacked), sysconfig.get_path("purelib"), *sorted(set(refused) - PACKAGES.keys())]
    command = [sys.executable, "-I", "-S", "-c", ONLY + code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=unpacked)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheel_holds_both_packages_whole_and_nothing_else(wheel: Path) -> None:
    # Catalogues go along compiled, and the sandbox says its interface by itself.
    expected = {
        f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in PACKAGES.items()
        for path in committed_files()
        if path.is_relative_to(folder) and path.suffix != ".po" and path.name != "openapi.json"
    }
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert inside == expected
    assert {"punktgenau/py.typed", "flask_punktgenau/py.typed"} <= inside


def test_every_catalogue_is_compiled() -> None:
    sources = {path for path in committed_files() if path.suffix == ".po"}
    assert {path.with_suffix(".mo") for path in sources} <= set(committed_files())


def test_bare_wheel_asks_for_requests_and_pydantic_only(unpacked: Path) -> None:
    assert {requirement.name for requirement in asked_for(unpacked)} == {"requests", "pydantic"}


def test_bare_wheel_imports_with_what_it_asks_for(unpacked: Path) -> None:
    run_with_only(unpacked, closure(asked_for(unpacked)), IMPORT_BARE)


def test_what_is_not_asked_for_cannot_be_imported_in_that_check(unpacked: Path) -> None:
    with pytest.raises(AssertionError, match="flask is not among what this wheel asks for"):
        run_with_only(unpacked, closure(asked_for(unpacked)), "import flask")


def test_every_template_loads_from_the_wheel_with_the_flask_extra(unpacked: Path) -> None:
    wanted = closure([Requirement("punktgenau[flask]")], of_wheel=unpacked)
    loaded = set(run_with_only(unpacked, wanted, LOAD_TEMPLATES).split())
    templates = PACKAGES["flask_punktgenau"] / "templates"
    assert loaded == {path.relative_to(templates).as_posix() for path in templates.rglob("*") if path.is_file()}


def locked(source: Path = LOCK) -> dict[str, tuple[Version, int]]:
    """Version and number of hashes by normalized name."""
    entry = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)[^\n]*\\\n((?:    --hash=\S+(?: \\)?\n)+)", re.M)
    found = entry.findall(source.read_text(encoding="utf-8"))
    return {canonicalize_name(name): (Version(version), hashes.count("sha256:")) for name, version, hashes in found}


def declared() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(line) for group in (PROJECT["dependencies"], *extras) for line in group]


def test_lock_names_every_package_with_hashes() -> None:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==", LOCK.read_text(encoding="utf-8"), re.M)
    assert {canonicalize_name(name) for name in pins} == set(locked())
    assert all(count > 0 for _, count in locked().values())


def test_lock_is_in_step_with_pyproject() -> None:
    pins = locked()
    stale = [
        str(requirement)
        for requirement in declared()
        if requirement.name != "punktgenau"
        and (
            canonicalize_name(requirement.name) not in pins
            or not requirement.specifier.contains(pins[canonicalize_name(requirement.name)][0], prereleases=True)
        )
    ]
    assert not stale, f"the lock does not fit {stale}; make it anew:\n{REMAKE}"


def test_lock_leaves_out_nothing_that_its_packages_need() -> None:
    assert closure(declared()) <= set(locked())


def test_installer_is_pinned_with_hashes() -> None:
    pins = locked(ROOT / "examples" / "_boot.lock")
    assert list(pins) == ["uv"]
    assert pins["uv"][1] > 0


# Written with gaps, so that this file does not name them.
_GAPPED = (
    "pypi .org",
    "python hosted",
    "npm js.",
    "yarn pkg.com",
    "deb.debian .org",
    "--index -url",
    "--extra -index-url",
)
REGISTRIES = [address.replace(" ", "") for address in _GAPPED]


@pytest.mark.parametrize("address", REGISTRIES)
def test_no_file_names_a_package_registry(address: str) -> None:
    assert [name for name, text in committed_texts() if address in text] == []


def test_lock_files_that_name_registries_are_not_committed() -> None:
    assert not {"uv.lock", "pylock.toml", "poetry.lock"} & {path.name for path in committed_files()}
