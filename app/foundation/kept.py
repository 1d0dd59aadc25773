"""Parts of pages that are the same for many requests: rendered once for each set of inputs, kept in this process.

`{{ kept("layout/_nav.html", entries=nav) }}` renders the file with nothing but its inputs and `lang`, which are also the key,
so that a part can never show what it was not asked for: a name it is not given is an error. The year is of the key, too: days of
another one are told with it. The CSRF token, which differs
from request to request, is a slot that is filled whenever the part is taken out. A part asks for no other state of the
request; what `url_for` builds lies in the school in force, so a part with such addresses takes `tenant` as an input.
"""

from __future__ import annotations

from collections.abc import Hashable

from flask import Flask
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from app.foundation import clock, csrf
from app.foundation.cache import ByteCache

MOST_BYTES = 32_000_000
INPUTS_BYTES = 2_000


def init_kept(app: Flask) -> None:
    """Give templates `kept`, and this application a store of its own."""
    store = ByteCache(MOST_BYTES)

    @pass_context
    def kept(context: Context, template: str, **inputs: Hashable) -> Markup:
        """The part that the template makes of these inputs and the page's `lang`."""
        lang = context.get("lang", "en")
        key = (template, lang, clock.now().year, *inputs.items())
        pieces: list[str] | None = store.get(key)
        if pieces is None:
            with csrf.left_open():
                pieces = context.environment.get_template(template).render(inputs, lang=lang).split(csrf.SLOT)
            csrf.refuse_token(pieces)
            # The key holds the inputs as well: of a step mostly what is kept, of a row rather more.
            store.put(key, pieces, size=INPUTS_BYTES + 2 * sum(map(len, pieces)))
        return Markup(pieces[0] if len(pieces) == 1 else csrf.token().join(pieces))  # noqa: S704

    app.jinja_env.globals["kept"] = kept
