"""The export, checked by the script that an outsider runs: a process of its own, with the standard library only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import time_machine

from app.audit.operations import audit
from tests.audit.committed import Committed
from tests.cast import ANA, actor, member

SCRIPT = Path(__file__).parents[2] / "docs" / "operations" / "verify_audit.py"


@pytest.fixture
def exported(own: Committed, tmp_path: Path) -> Path:
    with own.at("skyline"):
        audit("note.written", actor=actor(ANA), subject=member(ANA), after={"title": "Zoë  “Łódź” 1e23", "n": 1e23})
    file = tmp_path / "skyline.jsonl"
    result = own.run("audit", "export", "--tenant", "skyline", str(file))
    assert result.exit_code == 0, result.output
    return file


def check(file: Path, *more: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), str(file), *more], capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def head(file: Path) -> str:
    last = json.loads(file.read_text().splitlines()[-1])
    return f"{last['seq']}:{last['hash']}"


def test_the_script_finds_the_export_whole(own: Committed, exported: Path) -> None:
    seq, _colon, spelled = head(exported).partition(":")
    assert check(exported) == (0, f"The chain holds until link {seq}, hash {spelled}\n")
    assert head(exported) in own.run("audit", "verify", "--tenant", "skyline").output
    assert check(exported, head(exported))[0] == 0


def test_it_tells_nothing_personal(exported: Path) -> None:
    text = exported.read_text()
    assert "Ana" not in text
    assert "@" not in text
    assert "ip_cipher" not in text


def test_any_changed_byte_is_found(exported: Path) -> None:
    whole = exported.read_bytes()
    for place in range(0, len(whole), len(whole) // 60):
        byte = whole[place]
        if chr(byte).isspace():
            continue
        exported.write_bytes(whole[:place] + bytes([byte ^ 1]) + whole[place + 1 :])
        code, said = check(exported)
        assert code == 1, (place, whole[place - 20 : place + 20])
        assert "BROKEN" in said


def test_a_missing_line_and_a_missing_end_are_found(exported: Path) -> None:
    lines = exported.read_text().splitlines(keepends=True)
    kept = head(exported)
    exported.write_text("".join(lines[:6] + lines[7:]))
    assert check(exported) == (1, "BROKEN at link 8: it does not follow link 6\n")
    exported.write_text("".join(lines[:-1]))
    assert check(exported)[0] == 0
    code, said = check(exported, kept)
    assert code == 1
    assert "the file ends before link" in said


def test_some_days_are_exported_and_hold(own: Committed, tmp_path: Path) -> None:
    """Days of the school's zone: 07:30 in Greenwich on the 10th is the 9th in Los Angeles."""
    for day in ("2027-01-09T12:00Z", "2027-01-10T07:30Z", "2027-01-10T12:00Z", "2027-01-11T12:00Z"):
        with time_machine.travel(day, tick=False), own.at("skyline"):
            audit("flight.logged", actor=actor(ANA), subject=member(ANA), after={"day": day})
    file = tmp_path / "part.jsonl"
    for first, last, days in (("09", "09", ["09", "10"]), ("10", "11", ["10", "11"])):
        days_asked = ["--from", f"2027-01-{first}", "--to", f"2027-01-{last}"]
        assert own.run("audit", "export", "--tenant", "skyline", *days_asked, str(file)).exit_code == 0
        entries = [json.loads(line)["entry"] for line in file.read_text().splitlines()]
        written = [json.loads(entry["after"])["day"][8:10] for entry in entries]
        assert written == days
        assert check(file)[0] == 0
    assert own.run("audit", "export", "--tenant", "skyline", "--to", "2020-01-01", str(file)).exit_code == 0
    assert check(file) == (0, "The file holds no link.\n")
