"""Words in the reader's language, looked up often: a page of rows asks for hundreds.

Flask-Babel finds out the locale anew for every word. Here a request finds its catalog once, and a sentence without values is
marked safe once a process. Whatever else of Flask-Babel is used (force_locale, lazy_gettext) goes through the same domain.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from babel import Locale, support
from flask import Flask
from flask_babel import Babel, Domain, get_locale
from flask_babel import _get_current_context as request_state
from markupsafe import Markup
from wtforms.i18n import messages_path

LANGUAGES = (("en", "English (US)"), ("en_GB", "English (UK)"))
"""Those there are, as Babel writes them, each named in itself. They differ in how dates are written and read out."""


class OnceARequest(Domain):
    """Flask-Babel's domain, which remembers a request's catalog where force_locale forgets and restores it."""

    def get_translations(self) -> support.NullTranslations:
        state = request_state()
        if state is None:
            return super().get_translations()
        found = getattr(state, "babel_translations", None)
        if found is None:
            found = state.babel_translations = super().get_translations()
        return found


class FormWords:
    """What WTForms asks for its own sentences."""

    def gettext(self, string: str) -> str:
        return _catalog_of_forms(locale_name()).ugettext(string)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return _catalog_of_forms(locale_name()).ungettext(singular, plural, n)


def init_language(app: Flask, locale: Callable[[], str]) -> None:
    """Give the application its languages; `locale` says the reader's. Templates get a `_` that costs little."""
    babel = Babel(app, locale_selector=lambda: _parsed(locale()))
    domain = babel.domain_instance = OnceARequest(domain=app.config.get("BABEL_DOMAIN", "messages"))

    def gettext(string: str, /, **variables: Any) -> Markup:
        catalog = domain.get_translations()
        if variables:
            return Markup(catalog.ugettext(string)) % variables  # noqa: S704 — a catalog is part of the product
        plain: dict[str, Markup] = catalog.__dict__.setdefault("plain", {})
        words = plain.get(string)
        if words is None:
            words = plain[string] = Markup(catalog.ugettext(string)) % {}  # noqa: S704
        return words

    app.jinja_env.globals.update(gettext=gettext, _=gettext)


def locale_name() -> str:
    """The reader's locale as Babel writes it, "en" or "pt_BR"; English outside of a request."""
    found = get_locale()
    return _name(found) if found else "en"


_parsed = lru_cache(maxsize=64)(Locale.parse)
_name = lru_cache(maxsize=64)(str)


@lru_cache(maxsize=32)
def _catalog_of_forms(locale: str) -> support.NullTranslations:
    return support.Translations.load(messages_path(), [locale], domain="wtforms")
