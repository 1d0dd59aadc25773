"""The linting client: it reads pages as a person with script off does, and refuses those that break a rule of the house."""

from __future__ import annotations

import pytest
from flask import Flask, render_template_string, request

from tests.cast import ANA, BO, LEO
from tests.client import BadPage, LintingClient, count_statements


def whole(main: str, *, head: str = "<title>A page</title>") -> str:
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body><main id="main">{main}</main></body></html>'


def show(html: str) -> LintingClient:
    """A client of a throwaway application that shows this HTML at / and what was posted at /sent."""
    from app.foundation import csrf, security
    from app.identity.views import login

    app = Flask(__name__)
    app.config.update(SECRET_KEY="for this test alone", SESSION_COOKIE_SAMESITE="Lax")
    login.init_app(app)
    csrf.init_csrf(app)
    security.harden(app)

    @app.get("/")
    def shown() -> str:
        return render_template_string(html)

    @app.route("/sent", methods=["GET", "POST"])
    def sent() -> str:
        fields = (request.form or request.args).items(multi=True)
        return whole("<h1>Sent</h1><p>" + " ".join(f"{k}={v}" for k, v in fields if k != "csrf_token") + "</p>")

    return LintingClient(app)


FINE = whole("<h1>Fine</h1>")
CSRF = '<input type="hidden" name="csrf_token" value="{{ csrf_token() }}">'


def test_the_sign_in_page_is_fine_and_leads_in(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    assert client.get("/skyline/stuck-work").h1 == "Stuck work"
    assert client.partial("/skyline/stuck-work").h1 == "Stuck work"


def test_a_person_of_two_schools_follows_links_and_forms(app: Flask) -> None:
    client = LintingClient(app).sign_in(BO, school="")
    page = client.get("/schools")
    assert "Harbour Aviation Academy" in page.text
    assert page.form("/logout").submit().text.count("Sign in")


def test_a_refused_sign_in_keeps_what_was_typed(app: Flask) -> None:
    page = LintingClient(app).get("/login").form("Sign in").fill(email=LEO.email, password="wrong").submit()
    assert page.status == 422
    assert page.form("Sign in").value("email") == LEO.email
    assert page.form("Sign in").value("password") == ""


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        (whole("<h1>One</h1><h1>Two</h1>"), "2 h1"),
        (whole("<p>None</p>"), "0 h1"),
        (whole("<h1>Open <b>ended</h1>"), "line 1"),
        (whole('<h1 id="a">x</h1><p id="a">y</p>'), "stands 2 times"),
        (whole('<h1>x</h1><form method="get" action="/"><input name="q"><button>Go</button></form>'), "no label"),
        (whole('<h1>x</h1><form method="post" action="/"><button>Go</button></form>'), "0 CSRF tokens"),
        (whole(f'<h1>x</h1><form action="/" method="get">{CSRF}<button>Go</button></form>'), "into the address"),
        (whole(f'<h1>x</h1><form method="post" action="/">{CSRF}</form>'), "without script"),
        (whole(f'<h1>x</h1><form method="post">{CSRF}<button>Go</button></form>'), "names no action"),
        (whole('<h1>x</h1><form action="/"><button>Go</button></form>'), "names no method"),
        (whole('<h1>x</h1><p onclick="go()">y</p>'), "onclick"),
        (whole('<h1>x</h1><p hx-on:click="go()">y</p>'), "hx-on:click"),
        (whole('<h1>x</h1><p hx-vals="js:{a: 1}">y</p>'), "hx-vals"),
        (whole('<h1>x</h1><a href="javascript:go()">y</a>'), "href"),
        (whole('<h1>x</h1><p hx-trigger="keyup[key==1]">y</p>'), "trigger filter"),
        (whole("<h1>x</h1><script>go()</script>"), "inline <script>"),
        (whole("<h1>x</h1><style>p {}</style>"), "inline <style>"),
        (whole("<h1>x</h1><button></button>"), "neither words"),
        (whole('<h1>x</h1><a href="#">y</a>'), "leads nowhere"),
        (whole('<h1>x</h1><a href="#gone">y</a>'), "not there"),
        (whole('<h1>x</h1><img src="/a.png">'), "no alt"),
        (whole("<h1>x</h1>", head=""), "no title"),
        (FINE.replace(' lang="en"', ""), "no lang"),
        ("<p>x</p>", "a fragment came"),
    ],
)
def test_a_page_that_breaks_a_rule_is_refused(html: str, fault: str) -> None:
    with pytest.raises(BadPage, match=fault):
        show(html).get("/")


def test_a_page_that_breaks_none_is_taken() -> None:
    assert show(FINE).get("/").h1 == "Fine"


def test_a_whole_page_in_a_partial_s_place_is_refused() -> None:
    with pytest.raises(BadPage, match="a whole page came"):
        show(FINE).partial("/")


def test_a_row_of_a_table_is_a_fine_partial() -> None:
    assert show("<tr id='row'><td>1</td></tr>").partial("/").words_of("row") == "1"


def test_missing_headers_are_refused() -> None:
    client = show(FINE)
    dressed = client.app.wsgi_app

    def bare(environ, start):  # type: ignore[no-untyped-def]
        return dressed(environ, lambda status, _headers, error=None: start(status, [], error))

    client.app.wsgi_app = bare
    with pytest.raises(BadPage, match="Content-Security-Policy"):
        client.get("/")


def test_a_form_sends_what_a_browser_would() -> None:
    fields = """
    <label>Name <input name="name" value="Leo"></label><label>Note <textarea name="note">
old</textarea></label>
    <label>Kind <select name="kind"><option value="a">A</option><option value="b">B</option></select></label>
    <label>Yes <input type="checkbox" name="yes" value="1"></label>
    <label>Red <input type="radio" name="color" value="red" checked></label>
    <label>Blue <input type="radio" name="color" value="blue"></label>
    <label>Off <input name="off" value="x" disabled></label>
    <button name="deed" value="save">Save</button><button name="deed" value="drop">Drop</button>
    """
    page = show(whole(f'<h1>x</h1><form method="post" action="/sent">{CSRF}{fields}</form>')).get("/")
    sent = page.form("Drop").fill(kind="b", yes=True).submit()
    assert sent.find(".//p").text == "name=Leo note=old color=red kind=b yes=1 deed=drop"
    with pytest.raises(AssertionError, match="offers"):
        page.form("Save").fill(kind="c")
    with pytest.raises(AssertionError, match="no field"):
        page.form("Save").fill(nothing="c")
    with pytest.raises(AssertionError, match="no form"):
        page.form("Explode")


def test_a_get_form_puts_its_fields_into_the_address() -> None:
    field = '<label>Search <input name="search"></label><button>Find</button>'
    page = show(whole(f'<h1>x</h1><form method="get" action="/sent">{field}</form>')).get("/")
    assert page.form("Find").fill(search="wind & rain").submit().find(".//p").text == "search=wind & rain"


def test_statements_are_counted_without_the_stamp(app: Flask) -> None:
    client = LintingClient(app).sign_in(ANA)
    with count_statements() as statements:
        client.get("/readyz")
        assert statements
        del statements[:]
        client.get("/healthz")
    assert statements == []
