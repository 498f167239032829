"""Where a Chromium is on this machine, and how one gets there. Standard library only."""

import os
import shutil
import sys
from pathlib import Path

VARIABLE = "PUNKTGENAU_BROWSER"
SHELL = "chromium-headless-shell"
"""Chromium without windows: the same pages for a third of the work, so it comes before any other."""
COMMANDS = (
    SHELL,
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
    "microsoft-edge-stable",
)
PLACES = {
    "darwin": (
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ),
    "win32": (
        "C:/Program Files/Google/Chrome/Application/chrome.exe",
        "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
        "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
    ),
}
ADVICE = (
    f"no Chromium on this machine. Debian: apt-get install {SHELL}. Elsewhere: python -m playwright install chromium, "
    f"or set {VARIABLE} to the path of a Chromium, Chrome or Edge"
)


class BrowserError(Exception):
    """The browser that was asked for is not there."""


def find() -> Path | None:
    """The browser that tests drive: the one named by the environment, else the first that this machine has."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise BrowserError(f"{VARIABLE} is {named}, and there is no such program")
        return Path(found)
    for command in COMMANDS:
        found = shutil.which(command)
        if found is not None:
            return Path(found)
    return next((Path(place) for place in PLACES.get(sys.platform, ()) if Path(place).is_file()), None)


def bundled() -> bool:
    """Whether the driver has a Chromium of its own, put there by `playwright install chromium`."""
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as playwright:
            return Path(playwright.chromium.executable_path).is_file()
    except Error:
        return False
