"""A Chromium for the journeys: the system's, else apt's, else playwright's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from launcher.errors import LauncherError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_CHROME = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find() -> Path | None:
    """Return a browser's program, installed now if need be; None where none is to be had.

    LauncherError where CHROMIUM names none.
    """
    if named := os.environ.get("CHROMIUM"):
        if found := shutil.which(named):
            return Path(found)
        raise LauncherError(f"CHROMIUM={named} is no program: correct it, or leave it out.")
    return _installed() or _from_apt() or _from_playwright()


def _installed() -> Path | None:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return Path(found)
    return MAC_CHROME if MAC_CHROME.exists() else None


def _from_apt() -> Path | None:
    """Install Debian's package, which only root may."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists() or not shutil.which("apt-get"):
        return None
    print("Installing chromium with apt-get", flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", *command], env=quiet, stdout=subprocess.DEVNULL, check=False)
    return _installed()


def _from_playwright() -> Path | None:
    """Use playwright's own build, downloaded into the user's cache if it is not there."""
    print("Installing playwright's chromium", flush=True)
    installed = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if installed.returncode:
        return None
    ask = "from playwright.sync_api import sync_playwright as p\nwith p() as w: print(w.chromium.executable_path)"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    path = Path(told.stdout.strip())
    return path if told.returncode == 0 and path.is_file() else None
