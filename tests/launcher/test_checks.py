"""bin/test's own sums: what failed decides, what was skipped is counted and named; and how it finds a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from launcher import browser
from launcher.checks import Outcome, Report
from launcher.errors import LauncherError


def test_what_was_skipped_is_named_and_fails_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.run("style", lambda: Outcome(True))
    report.run("audit", lambda: Outcome(True, "the list is out of reach"))
    assert report.close() == 0
    said = capsys.readouterr().out
    assert "skipped checks: 1\n  audit: the list is out of reach" in said
    assert "everything that ran has passed" in said


def test_one_stage_that_fails_decides_and_the_others_run(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.run("style", lambda: Outcome(False))
    report.run("types", lambda: Outcome(True))
    assert report.close() == 1
    said = capsys.readouterr().out
    assert "failed: style" in said
    assert "== types" in said


def test_the_browser_that_is_named_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "chromium"
    named.write_text("#!/bin/sh\n")
    named.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(named))
    assert browser.find() == named


def test_a_name_that_is_no_program_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falling back to another browser would test in one that was not meant."""
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "none"))
    with pytest.raises(LauncherError, match="is no program: correct it, or leave it out"):
        browser.find()


def test_the_systems_browser_is_taken_where_nothing_can_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    ours = tmp_path / "chromium-browser"
    ours.write_text("#!/bin/sh\n")
    ours.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.find() == ours


def test_the_windowless_browser_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    for name in ("chromium", "chromium-headless-shell"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.find() == tmp_path / "chromium-headless-shell"
