"""Static files: named by their content, kept for ever by browsers, compressed once."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask

from app.foundation import assets
from app.foundation.assets import STATIC, asset, load_assets


@pytest.mark.parametrize("path", ["css/app.css", "js/app.js", "vendor/htmx.min.js", "icons/sprite.svg"])
def test_a_file_is_immutable_and_gzipped(app: Flask, path: str) -> None:
    client = app.test_client()
    plain = client.get(asset(path))
    packed = client.get(asset(path), headers={"Accept-Encoding": "gzip, br"})
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data


def test_fonts_are_sent_as_they_are(app: Flask) -> None:
    path = next(iter((STATIC / "vendor/inter").glob("*.woff2"))).relative_to(STATIC).as_posix()
    answer = app.test_client().get(asset(path), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Type"] == "font/woff2"
    assert "Content-Encoding" not in answer.headers
    assert "Vary" not in answer.headers


def test_an_old_name_is_not_found(app: Flask) -> None:
    for path in ("/static/css/app.css", "/static/css/app-000000000000.css", "/static/../pyproject.toml"):
        assert app.test_client().get(path).status_code == 404


def test_what_style_sheets_point_to_is_there(app: Flask) -> None:
    client = app.test_client()
    pointed = set(re.findall(r'url\("?(/static/[^")]+)', client.get(asset("css/app.css")).text))
    assert pointed
    for path in pointed:
        assert client.get(path).status_code == 200


def test_every_style_sheet_is_in_the_order() -> None:
    order = (STATIC / "css/ORDER").read_text().split()
    there = {path.relative_to(STATIC / "css").as_posix() for path in (STATIC / "css").rglob("*.css")}
    assert set(order) == there
    assert len(order) == len(set(order))


def test_a_changed_file_has_a_new_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    (tmp_path / "css").mkdir()
    (tmp_path / "css/ORDER").write_text("a.css")
    (tmp_path / "mark.svg").write_text("<svg></svg>")
    for color in ("red", "blue"):
        monkeypatch.setattr(assets, "_by_path", {})
        monkeypatch.setattr(assets, "_by_name", {})
        (tmp_path / "css/a.css").write_text(f'p {{ color: {color}; background: url("../mark.svg"), url(data:x) }}')
        load_assets(tmp_path)
        names.append(asset("css/app.css"))
        assert asset("mark.svg") in assets._by_path["css/app.css"].body.decode()
        assert assets._by_path["mark.svg"].packed is None
    assert names[0] != names[1]
    with pytest.raises(KeyError):
        asset("gone.css")


def test_pages_are_gzipped_where_the_browser_can(app: Flask) -> None:
    client = app.test_client()
    packed = client.get("/login", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert b"<title>" in gzip.decompress(packed.data)
    assert "Content-Encoding" not in client.get("/login").headers
    assert "Content-Encoding" not in client.get("/healthz", headers={"Accept-Encoding": "gzip"}).headers
