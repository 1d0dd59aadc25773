"""Which system user the embedded servers run as when the launcher is root, and how that user reaches its folders.

PostgreSQL refuses to run as root. Everyone else runs the servers as themselves, and nothing here does anything.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.errors import LauncherError

SYSTEM_USER = "groundschool"


@dataclass(frozen=True)
class Account:
    """A user to run a server as."""

    name: str
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """The arguments of subprocess.Popen that make a child this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def owns(self, folder: Path) -> None:
        """Give `folder` to this user."""
        os.chown(folder, self.uid, self.gid)

    def open_way(self, target: Path) -> None:
        """Add o+x to each parent folder of `target` that this user could not pass through, and print each."""
        for folder in reversed(target.parents):
            mode = folder.stat()
            if not self._may_pass(mode):
                folder.chmod(stat.S_IMODE(mode.st_mode) | stat.S_IXOTH)
                print(f"chmod o+x {folder} (so that the user {self.name} can pass through it)", file=sys.stderr)

    def _may_pass(self, mode: os.stat_result) -> bool:
        if mode.st_uid == self.uid:
            return bool(mode.st_mode & stat.S_IXUSR)
        if mode.st_gid == self.gid:
            return bool(mode.st_mode & stat.S_IXGRP)
        return bool(mode.st_mode & stat.S_IXOTH)


def server_account(data_folder: Path) -> Account | None:
    """Return whom a server that keeps its files in `data_folder` runs as; None means: as this process does.

    As root: the owner of the folder where an ordinary user made it, else the system user, which is made if missing.
    """
    if os.geteuid() != 0:
        return None
    if data_folder.exists() and data_folder.stat().st_uid != 0:
        return _account_of(data_folder.stat().st_uid)
    return _system_account()


def _account_of(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(str(uid), uid, uid)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _system_account(tries: int = 50) -> Account:
    """Find or make the system user; another start may be making it, or hold the lock on the user list, right now."""
    for _ in range(tries):
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            _add_system_user()
            time.sleep(0.05)
        else:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise LauncherError(
        f"PostgreSQL does not run as root and the system user {SYSTEM_USER!r} could not be made: "
        "run this as an ordinary user, or make that user first."
    )


def _add_system_user() -> None:
    if useradd := shutil.which("useradd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
        command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        command += ["--shell", "/usr/sbin/nologin", SYSTEM_USER]
    elif adduser := shutil.which("adduser"):
        command = [adduser, "-S", "-D", "-H", SYSTEM_USER]
    else:
        return
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
