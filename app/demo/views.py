"""The demo's mailbox: what would have been mailed, for whoever looks at the demo. These pages exist in demo mode only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, abort, current_app, render_template

from app.demo.queries import find_mail, list_mails
from app.demo.rules import with_links
from app.foundation.mail import mail_folder
from app.foundation.pages import list_query
from app.foundation.permissions import public

bp = Blueprint("demo", __name__, url_prefix="/demo")


@bp.get("/mailbox")
@public("the demo's people are invented, and their mail goes nowhere else")
def mailbox_index() -> Any:
    wanted = list_query(sorts={"newest": ""})
    found = list_mails(_folder(), search=wanted.search, cursor=wanted.cursor)
    return render_template("demo/mailbox.html", found=found, wanted=wanted)


@bp.get("/mailbox/<name>")
@public("the demo's people are invented, and their mail goes nowhere else")
def mailbox_show(name: str) -> Any:
    mail = find_mail(_folder(), name) or abort(404)
    return render_template("demo/mail.html", mail=mail, text=with_links(mail.text))


def _folder() -> Path:
    return mail_folder(current_app.config["SETTINGS"])
