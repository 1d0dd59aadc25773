"""Static files: hashed names, immutable, compressed once when the process starts.

`asset("css/app.css")` is all of static/css/*.css in the order of static/css/ORDER; `url(…)` inside a style sheet is
rewritten to the hashed name. A changed file has a new name, so browsers keep what they have for a year.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, make_response, request
from markupsafe import Markup

from app.foundation.permissions import public

STATIC = Path(__file__).parents[2] / "static"
STYLE = "css/app.css"
COMPRESSED_ALREADY = {".woff2", ".png", ".jpg", ".webp", ".gz"}
TYPES = {
    ".woff2": "font/woff2",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}

ICON = Markup('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">\n  <use href="{0}#{1}" />\n</svg>')

bp = Blueprint("assets", __name__)


@dataclass(frozen=True)
class Asset:
    """One file as it is served: its hashed name, its bytes, plain and compressed, and its type."""

    name: str
    body: bytes
    packed: bytes | None
    type: str


_by_path: dict[str, Asset] = {}
_by_name: dict[str, Asset] = {}


def init_assets(app: Flask) -> None:
    if not _by_path:
        load_assets(STATIC)
    app.register_blueprint(bp)
    app.jinja_env.globals.update(asset=asset, lucide=lucide)


def asset(path: str) -> str:
    """The address of a static file, by its path below static/; raises KeyError for a file that is not there."""
    return f"/static/{_by_path[path].name}"


@lru_cache(maxsize=512)
def lucide(name: str) -> Markup:
    """The markup of one icon of the sprite, silent to screen readers."""
    return ICON.format(asset("icons/sprite.svg"), name)


@bp.get("/static/<path:name>")
@public("style sheets, scripts, fonts and icons")
def show(name: str) -> Response:
    found = _by_name.get(name)
    if found is None:
        abort(404)
    packed = found.packed if found.packed and "gzip" in request.headers.get("Accept-Encoding", "") else None
    response = make_response(packed or found.body)
    response.headers["Content-Type"] = found.type
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if found.packed:
        response.headers["Vary"] = "Accept-Encoding"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response


def load_assets(folder: Path) -> None:
    """Read every file below `folder`, name it by its content and compress it."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_file() and not relative.startswith("css/"):
            _keep(relative, path.read_bytes())
    order = (folder / "css/ORDER").read_text().split()
    style = "\n".join((folder / "css" / name).read_text() for name in order)
    _keep(STYLE, re.sub(r"url\(([\"']?)(?!data:)([^)\"']+)\1\)", _hashed_url, style).encode())


def _hashed_url(match: re.Match[str]) -> str:
    return f'url("{asset(match.group(2).lstrip("./"))}")'


def _keep(path: str, body: bytes) -> None:
    digest = hashlib.sha256(body).hexdigest()[:12]
    stem, dot, ending = path.rpartition(".")
    name = f"{stem}-{digest}{dot}{ending}"
    suffix = f".{ending}"
    kind = TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    packed = None if suffix in COMPRESSED_ALREADY or len(body) < 400 else gzip.compress(body, 9, mtime=0)
    _by_path[path] = _by_name[name] = Asset(name, body, packed, kind)
