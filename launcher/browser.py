"""A Chromium for the journeys: the windowless one, which takes half the processor's time, else the system's, else playwright's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from launcher.errors import LauncherError

WINDOWLESS = ("chromium-headless-shell",)
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
    _install_from_apt([names[0] for names in (WINDOWLESS, NAMES) if not installed(names)])
    return installed(WINDOWLESS) or installed(NAMES) or _from_playwright()


def installed(names: Sequence[str]) -> Path | None:
    """The first of these programs that is there; Chrome stands in for NAMES on a Mac."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found:
        return Path(found)
    return MAC_CHROME if names is NAMES and MAC_CHROME.exists() else None


def _install_from_apt(packages: Sequence[str]) -> None:
    """Install Debian's packages, which only root may. It takes both: the windowless one keeps no whole pages for Back."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists() or not shutil.which("apt-get"):
        return
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    if installed(WINDOWLESS) or installed(NAMES):
        packages = [package for package in packages if _is_known(package)]
    if packages:
        print(f"Installing {' and '.join(packages)} with apt-get", flush=True)
        _apt_get(["update", "-qq"], quiet)
    for package in packages:
        _apt_get(["install", "-qq", "-y", "--no-install-recommends", package], quiet)


def _is_known(package: str) -> bool:
    """Whether this system has such a package, asked without a network: Ubuntu has none of these."""
    return subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).returncode == 0


def _apt_get(words: Sequence[str], environment: dict[str, str]) -> None:
    subprocess.run(["apt-get", *words], env=environment, stdout=subprocess.DEVNULL, check=False)


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
