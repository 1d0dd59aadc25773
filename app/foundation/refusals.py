"""Refusals: a rule says no, with a sentence for the person who asked."""

from __future__ import annotations

from flask_babel import gettext as _


class Refusal(Exception):
    """A deed the rules do not allow now. `sentence` is shown to the person; `status` is the HTTP answer.

    `back` is an address of ours that the error page offers: where to begin again. Empty for the start page.
    """

    status = 409
    back = ""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class BadRequest(Refusal):
    """The address or its parameters make no sense (400): a broken cursor, an unknown filter."""

    status = 400


class NotWhileActing(Refusal):
    """What nobody does in another's name, nor to their own account while they act as another (403)."""

    status = 403

    def __init__(self) -> None:
        super().__init__(_("Not while you act for somebody. Stop acting first."))
