"""The pages for developers and operators name what is there, and what they point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.foundation.settings import ENV_NAMES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_its_links_lead_somewhere(page: Path) -> None:
    for path, heading in LINK.findall(page.read_text()):
        target = (page.parent / path) if path else page
        assert target.exists(), path
        if heading:
            assert heading in {_anchor(line) for line in target.read_text().splitlines() if line.startswith("#")}


def test_the_map_names_each_package() -> None:
    features = {path.name for path in (ROOT / "app").iterdir() if (path / "__init__.py").exists()}
    said = set(re.findall(r"`([a-z]+)`", (ROOT / "docs" / "MAP.md").read_text()))
    assert features - said == set()


def test_each_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text())
    assert listed == sorted(path.name for path in folder.glob("0*.md"))


@pytest.mark.parametrize("setting", sorted(ENV_NAMES.values()))
def test_each_setting_is_explained_to_whoever_runs_it(setting: str) -> None:
    pages = "".join(page.read_text() for page in (ROOT / "docs" / "operations").glob("*.md"))
    assert re.search(rf"\b{setting}\b", pages)


def _anchor(line: str) -> str:
    """The name that a heading's link has on the web."""
    return re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
