"""The virtual environment of a checkout: filled once, filled again for a changed file, mended after a cut-off start."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from launcher import virtualenv
from launcher.errors import LauncherError
from tests.launcher.processes import ROOT

ARRIVAL = """
import sys
from pathlib import Path
from launcher import virtualenv
here = Path(__file__).parent
virtualenv.enter(here, here / "elsewhere", ("wanted.txt",), "arrival")
import windsock
print("arrived in", sys.prefix)
"""


@dataclass
class Checkout:
    """A folder with one program, and a requirements file that asks for one wheel beside it: no index is needed."""

    folder: Path

    @property
    def environment(self) -> Path:
        return self.folder / ".venv"

    @property
    def wanted(self) -> Path:
        return self.folder / "wanted.txt"

    def ask_for(self, version: str) -> None:
        wheel = self.folder / f"windsock-{version}-py3-none-any.whl"
        described = f"windsock-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as file:
            file.writestr("windsock.py", "")
            file.writestr(f"{described}/METADATA", f"Metadata-Version: 2.1\nName: windsock\nVersion: {version}\n")
            file.writestr(f"{described}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            file.writestr(f"{described}/RECORD", "")
        self.wanted.write_text(f"{wheel}\n")

    def start(self) -> tuple[int, str]:
        """Run its program by this Python; the exit code and all that it says."""
        done = subprocess.run(
            [sys.executable, "-m", "arrival"], cwd=self.folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose first start has just been."""
    checkout = Checkout(tmp_path_factory.mktemp("check out"))
    (checkout.folder / "arrival.py").write_text(ARRIVAL)
    checkout.ask_for("1.0")
    code, said = checkout.start()
    assert code == 0, said
    assert f"Making {checkout.environment}" in said
    assert f"arrived in {checkout.environment}" in said
    return checkout


def test_the_second_start_goes_straight_on(filled: Checkout) -> None:
    assert filled.start() == (0, f"arrived in {filled.environment}\n")


def test_a_changed_file_is_installed_and_nothing_is_made_anew(filled: Checkout) -> None:
    filled.ask_for("1.1")
    code, said = filled.start()
    assert code == 0, said
    assert "Installing Python packages" in said
    assert "Making" not in said
    assert [*filled.environment.glob("lib/python3*/site-packages/windsock-1.1.dist-info")]
    assert "Installing" not in filled.start()[1]


def test_what_could_not_be_installed_is_tried_again(filled: Checkout) -> None:
    """pip ends in the middle: the environment must not pass for a filled one at the next start."""
    filled.wanted.write_text(f"{filled.folder / 'windsock-9.0-py3-none-any.whl'}\n")
    for _start in range(2):
        code, said = filled.start()
        assert code != 0
        assert "LauncherError: What wanted.txt asks for could not be installed" in said
    filled.ask_for("1.2")
    assert filled.start()[0] == 0


@pytest.fixture
def cut_off(filled: Checkout) -> Iterator[Path]:
    """An environment that works, to be broken by hiding one of its files."""
    hidden: list[Path] = []
    yield filled.environment
    for file in filled.environment.rglob("*.hidden"):
        hidden.append(file.rename(file.with_suffix("")))
    assert hidden, "the test has hidden nothing"
    assert virtualenv._works(filled.environment)


@pytest.mark.parametrize("lost", ["bin/python", "lib/python3*/site-packages/pip"])
def test_an_environment_that_was_cut_off_is_made_anew(cut_off: Path, lost: str) -> None:
    """python -m venv ends before it has put its Python, or its pip, in place."""
    (file,) = cut_off.glob(lost)
    file.rename(f"{file}.hidden")
    assert not virtualenv._works(cut_off)


@pytest.mark.parametrize("lost", ["bin/python", "wanted.txt.sha256"])
def test_an_environment_fits_only_whole_and_filled(cut_off: Path, filled: Checkout, lost: str) -> None:
    assert virtualenv._fits(cut_off, [filled.wanted])
    (cut_off / lost).rename(cut_off / f"{lost}.hidden")
    assert not virtualenv._fits(cut_off, [filled.wanted])


def test_an_environment_fits_no_file_that_it_was_not_filled_from(filled: Checkout) -> None:
    more = filled.folder / "more.txt"
    more.write_text("")
    assert virtualenv._fits(filled.environment, [filled.wanted])
    assert not virtualenv._fits(filled.environment, [filled.wanted, more])


def test_an_old_python_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin" / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert not virtualenv._works(tmp_path)


def test_a_missing_requirements_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match=r"wanted\.txt is missing: fetch the whole checkout again"):
        virtualenv.enter(tmp_path, tmp_path, ("wanted.txt",), "arrival")
    assert [*tmp_path.iterdir()] == []
