"""Brings a Chromium, its fonts and what its driver needs onto this machine, where that is possible."""

import os
import platform
import shutil
import subprocess
import sys

import _browser

# The driver's own runtime needs libatomic1; the fonts are for German and English, and for Chinese.
BESIDES = ("libatomic1", "fonts-liberation", "fonts-wqy-zenhei")
TAIL = 8


def browser() -> None:
    """Installs what browser tests lack, saying so first; never fails: the tests themselves tell what is missing."""
    if os.environ.get(_browser.VARIABLE):
        return
    if _may_use_apt():
        wanted = [package for package in BESIDES if not _installed(package)]
        lacks_shell = _is_debian() and shutil.which(_browser.SHELL) is None
        # Alone: an older Debian has no such package, and would then install none of the others either.
        if lacks_shell and not _apt([_browser.SHELL]) and _browser.find() is None:
            wanted.insert(0, "chromium")
        if wanted:
            _apt(wanted)
    if _browser.find() is None and not _browser.bundled():
        print("No Chromium on this machine: fetching one with 'playwright install chromium'.", flush=True)
        _quietly([sys.executable, "-m", "playwright", "install", "chromium"], "Chromium could not be fetched.")


def _may_use_apt() -> bool:
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return root and not os.environ.get("PUNKTGENAU_NO_APT") and shutil.which("apt-get") is not None


def _is_debian() -> bool:
    """Ubuntu's package called chromium-browser is no browser but a way to another shop, so only Debian counts."""
    try:
        return platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        return False


def _installed(package: str) -> bool:
    command = ["dpkg-query", "-W", "-f=${Status}", package]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return asked.stdout.endswith("ok installed")


def _apt(packages: list[str]) -> bool:
    print(f"Installing for the browser tests, with apt-get: {' '.join(packages)} (a minute or two).", flush=True)
    wait = ["-o", "DPkg::Lock::Timeout=300", "-qq"]
    complaint = "apt-get could not install them."
    return _quietly(["apt-get", *wait, "update"], complaint) and _quietly(
        ["apt-get", *wait, "install", "-y", "--no-install-recommends", *packages], complaint
    )


def _quietly(command: list[str], complaint: str) -> bool:
    done = subprocess.run(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        print(complaint, *done.stdout.strip().splitlines()[-TAIL:], sep="\n    ", flush=True)
    return done.returncode == 0
