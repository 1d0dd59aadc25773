"""A test client that lints every answer it gets: valid HTML, one h1, labels, unique ids, forms that work with script off.

    client = LintingClient(app).sign_in(LEO)
    page = client.get("/skyline/courses")
    page = page.link("Weather").follow()
    page = page.form("Start").submit()          # follows the 303, as a browser with script off does
    page = page.form("Send").fill(note="Hello").submit()

An answer that breaks a house rule raises `BadPage` with every fault in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_plus, urljoin
from xml.etree import ElementTree

import html5lib
from flask import Flask
from html5lib.constants import E as SENTENCES
from sqlalchemy import event
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app.foundation import db, tenancy
from app.foundation.logs import begin_correlation
from app.foundation.security import STANDING_HEADERS
from tests.cast import PASSWORD, Person
from tests.signed_in import cookie_of

Element = ElementTree.Element
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
MOST_REDIRECTS = 5
OWN_ADDRESS = re.compile(r"(http://localhost)?/(?![/\\])")
TEXTS = {"text/plain", "text/csv", "text/calendar", "application/json"}


class BadPage(AssertionError):
    """An answer breaks the rules of the house; the text lists each fault."""


class LintingClient:
    """A browser with script off. `sign_in` first, then `get`, `post`, or `partial` for what htmx would ask.

    `address` is the network address it asks from.
    """

    def __init__(self, app: Flask, *, address: str = "127.0.0.1") -> None:
        self.app = app
        self.browser = app.test_client()
        self.browser.environ_base["REMOTE_ADDR"] = address

    def sign_in(self, person: Person, school: str | None = None) -> LintingClient:
        """Be signed in as this person, by a session of their own and without the form. Where a school is named ("" for none), the
        form itself is asked; so it is by `sign_in_by_form`, for what else signing in leaves: a browser that is known from then
        on, and the end of the session that it held before."""
        if school is not None:
            return self.sign_in_by_form(person, school)
        db.session.remove()
        with (
            self.app.test_request_context("/login", environ_base=self.browser.environ_base),
            tenancy.tenant_scope(None),
        ):
            begin_correlation()
            cookie = cookie_of(person.email, app=self.app, user_agent=self.browser.environ_base["HTTP_USER_AGENT"])
            db.session.commit()
            db.session.remove()
        self.browser.set_cookie("groundschool", cookie)
        return self

    def sign_in_by_form(self, person: Person, school: str | None = None) -> LintingClient:
        """Sign in through the form, to the person's own school unless another is named ("" for none)."""
        form = self.sign_in_form()
        tenant = person.slug if school is None else school
        answer = form.fill(email=person.email, password=PASSWORD, tenant=tenant, next="").submit(follow=False)
        assert answer.status == 303, f"{person.email} could not sign in: {answer.status}"
        return self

    def sign_in_form(self) -> Form:
        """The sign-in form, in a browser where nobody is signed in: whoever is gets their cookie taken away."""
        page = self.get("/login?next=/")
        if page.status == 303:
            self.browser.delete_cookie("groundschool")
            page = self.get("/login?next=/")
        return page.form("/login")

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, follow: bool = False) -> Page:
        """Ask for a page. `follow` goes after redirects."""
        return self.request("GET", path, headers=headers, follow=follow)

    def post(
        self,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        follow: bool = False,
        csrf: bool = True,
    ) -> Page:
        """Post fields without a form, with a valid CSRF token unless told otherwise."""
        fields = MultiDict(data or {})
        if csrf and "csrf_token" not in fields:
            fields["csrf_token"] = self.csrf_token()
        return self.request("POST", path, fields, headers=headers, follow=follow)

    def partial(self, path: str, data: Mapping[str, Any] | None = None, *, method: str = "") -> Page:
        """Ask as htmx does: a GET, or a POST if there is data or `method` says so."""
        if method == "POST" or data is not None:
            return self.post(path, data, headers=PARTIAL, follow=True)
        return self.get(path, headers=PARTIAL, follow=True)

    def csrf_token(self) -> str:
        """The token of this session, as the forms carry it."""
        for path in ("/schools?stay=1", "/login?next=/"):
            page = self.get(path)
            token = next((e for e in page.tree.iter("input") if e.get("name") == "csrf_token"), None)
            if token is not None:
                return token.get("value", "")
        raise AssertionError("no page carries a CSRF token")

    def request(
        self,
        method: str,
        path: str,
        fields: MultiDict[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> Page:
        """One request, linted. With `follow` also those that its redirects ask for, with the same headers."""
        for _ in range(MOST_REDIRECTS):
            page = self._once(method, path, fields, headers or {})
            if not follow or page.status not in (301, 302, 303, 307, 308):
                return page
            method, path, fields = "GET", page.location, None
        raise AssertionError(f"more than {MOST_REDIRECTS} redirects, the last to {path}")

    def _once(self, method: str, path: str, fields: MultiDict[str, Any] | None, headers: Mapping[str, str]) -> Page:
        before = tenancy.current()
        sent = {"Sec-Fetch-Site": "same-origin", **({"Origin": "http://localhost"} if method == "POST" else {})}
        try:
            answer = self.browser.open(path, method=method, data=fields, headers={**sent, **headers})
        finally:
            tenancy.enter(before)
        page = Page(self, path, answer, dict(headers))
        page.lint()
        return page


class Page:
    """One answer: `status`, `headers`, `html` (as sent), `text` (the words a person reads), `location`, `title`, `h1`."""

    def __init__(self, client: LintingClient, path: str, answer: TestResponse, sent: dict[str, str]) -> None:
        self.client, self.path, self.answer, self.sent = client, path, answer, sent
        self.status, self.headers = answer.status_code, answer.headers
        self.location = answer.headers.get("Location", "")
        self.is_html = answer.mimetype == "text/html" and not 300 <= self.status < 400
        self.html = answer.get_data(as_text=True) if self.is_html or answer.mimetype in TEXTS else ""
        self.is_partial = sent.get("HX-Request-Type") == "partial"
        self.is_whole = self.is_html and self.html.lstrip().lower().startswith("<!doctype")
        self.tree, self.parse_errors = _parse(self.html, whole=self.is_whole)
        self.parents = {child: parent for parent in self.tree.iter() for child in parent}

    # -- reading --

    @property
    def text(self) -> str:
        return _words(self.tree)

    @property
    def title(self) -> str:
        return next((_words(e) for e in self.tree.iter("title")), "")

    @property
    def h1(self) -> str:
        return next((_words(e) for e in self.tree.iter("h1")), "")

    def find(self, selector: str) -> Element | None:
        """The first element of an ElementTree path, e.g. ".//table//tr"."""
        return self.tree.find(selector)

    def find_all(self, selector: str) -> list[Element]:
        return self.tree.findall(selector)

    def by_id(self, name: str) -> Element | None:
        return next((e for e in self.tree.iter() if e.get("id") == name), None)

    def words_of(self, name: str) -> str:
        """The words inside the element of that id; fails if there is none."""
        found = self.by_id(name)
        assert found is not None, f"nothing on {self.path} has the id {name!r}"
        return _words(found)

    def links(self) -> dict[str, str]:
        """The links of the page: words → address (the first of each)."""
        found: dict[str, str] = {}
        for link in self.tree.iter("a"):
            if link.get("href"):
                found.setdefault(_name(link), link.get("href", ""))
        return found

    # -- acting --

    def link(self, words: str) -> Link:
        """The link with these words (or, if none has exactly these, the first that contains them)."""
        links = self.links()
        found = links.get(words) or next((href for name, href in links.items() if words in name), None)
        assert found is not None, f"no link says {words!r} on {self.path}; there are: {sorted(links)}"
        return Link(self.client, urljoin(self.path, found))

    def follow(self) -> Page:
        """Go after this answer's redirect."""
        assert self.location, f"{self.path} answered {self.status}, which leads nowhere"
        return self.client.request("GET", self.location, headers=self.sent, follow=True)

    def forms(self) -> list[Form]:
        return [Form(self, element) for element in self.tree.iter("form")]

    def form(self, wanted: str, *, inside: str | None = None) -> Form:
        """The form whose button says `wanted`, or whose action is or ends with it. `inside` is the id of an element round it."""
        forms = [form for form in self.forms() if inside is None or form.is_inside(inside)]
        for match in (
            lambda form: wanted in form.buttons(),
            lambda form: form.action in (wanted, urljoin(self.path, wanted)),
            lambda form: form.action.partition("?")[0].endswith(wanted),
            lambda form: form.element.get("aria-label") == wanted,
        ):
            found = [form for form in forms if match(form)]
            if found:
                return found[0].press(wanted)
        there = [f"{form.method} {form.action} {form.buttons()}" for form in forms]
        raise AssertionError(f"no form for {wanted!r} on {self.path}; there are: {there}")

    # -- judging --

    def lint(self) -> None:
        """Raise BadPage with every rule that this answer breaks."""
        faults = [*self._header_faults()]
        if self.is_html and self.html.strip():
            faults += _faults(self)
        if faults:
            listed = "\n  ".join(dict.fromkeys(faults))
            raise BadPage(f"{self.path} ({self.status}):\n  {listed}")

    def _header_faults(self) -> Iterator[str]:
        for name, value in STANDING_HEADERS.items():
            if self.headers.getlist(name) != [value]:
                yield f"the header {name} is {self.headers.getlist(name)}, not {value!r}"
        if len(self.headers.getlist("X-Request-ID")) != 1:
            yield "the header X-Request-ID is missing"
        if self.is_html and "HX-Request-Type" not in ", ".join(self.headers.getlist("Vary")):
            yield "the header Vary does not name HX-Request-Type"
        if self.location and not OWN_ADDRESS.match(self.location):
            yield f"redirects to another site: {self.location}"
        for cookie in self.headers.getlist("Set-Cookie"):
            if "HttpOnly" not in cookie or "SameSite=Lax" not in cookie:
                yield f"sets a cookie without HttpOnly or SameSite=Lax: {cookie.partition('=')[0]}"


class Link:
    """A link of a page, not followed yet."""

    def __init__(self, client: LintingClient, href: str) -> None:
        self.client, self.href = client, href

    def follow(self) -> Page:
        return self.client.get(self.href, follow=True)


class Form:
    """A form of a page, filled as a person does and sent as a browser with script off does."""

    def __init__(self, page: Page, element: Element) -> None:
        self.page, self.element = page, element
        self.method = (element.get("method") or "get").upper()
        self.action = urljoin(page.path, element.get("action") or page.path)
        self.pressed: Element | None = None
        self.typed: dict[str, list[str]] = {}

    def fill(self, values: Mapping[str, Any] | None = None, **more: Any) -> Form:
        """Type into fields by name. A list chooses several; True or False ticks a lone checkbox; None sends nothing."""
        for name, value in {**(values or {}), **more}.items():
            controls = [c for c in self._controls() if c.get("name") == name]
            assert controls, f"no field {name!r} in the form to {self.action}; there are: {sorted(self.names())}"
            self.typed[name] = _as_typed(name, value, controls)
        return self

    def press(self, words: str) -> Form:
        """Choose the button to send with, if one says this."""
        self.pressed = next((b for b in self._buttons() if _name(b) == words), self.pressed)
        return self

    def submit(self, button: str = "", *, follow: bool = True, partial: bool = False) -> Page:
        """Send it. Follows the redirect unless told not to; `partial` sends as htmx does."""
        if button:
            assert button in self.buttons(), f"no button says {button!r}; there are: {self.buttons()}"
            self.press(button)
        headers = {"Referer": f"http://localhost{self.page.path}", **(PARTIAL if partial else {})}
        if self.method == "GET":
            query = "&".join(_encoded(name, value) for name, value in self.data().items(multi=True))
            path = self.action.partition("?")[0] + (f"?{query}" if query else "")
            return self.page.client.request("GET", path, headers=headers, follow=follow)
        target = (self.pressed.get("formaction") if self.pressed is not None else None) or self.action
        target = urljoin(self.page.path, target)
        return self.page.client.request("POST", target, self.data(), headers=headers, follow=follow)

    def data(self) -> MultiDict[str, Any]:
        """What a browser would send, in the order of the fields."""
        sent: list[tuple[str, Any]] = []
        for control in self._controls():
            name = control.get("name", "")
            if name in self.typed:
                continue
            sent += [(name, value) for value in _standing_values(control)]
        sent += [(name, value) for name, values in self.typed.items() for value in values]
        button = self.pressed if self.pressed is not None else next(iter(self._buttons()), None)
        if button is not None and button.get("name"):
            sent.append((button.get("name", ""), button.get("value", "")))
        return MultiDict(sent)

    def names(self) -> set[str]:
        return {control.get("name", "") for control in self._controls()}

    def value(self, name: str) -> str:
        """What a field shows now."""
        return str(self.data().get(name, ""))

    def choices(self, name: str) -> dict[str, str]:
        """The options of a select or of radio buttons: value → words."""
        found: dict[str, str] = {}
        for control in (c for c in self._controls() if c.get("name") == name):
            for option in control.iter("option"):
                found[option.get("value", _words(option))] = _words(option)
            if control.get("type") in ("radio", "checkbox"):
                found[control.get("value", "on")] = _label_of(self.page, control)
        return found

    def buttons(self) -> list[str]:
        return [_name(button) for button in self._buttons()]

    def is_inside(self, name: str) -> bool:
        at: Element | None = self.element
        while at is not None and at.get("id") != name:
            at = self.page.parents.get(at)
        return at is not None

    def _belongs(self, element: Element) -> bool:
        return not element.get("form") or element.get("form") == self.element.get("id")

    def _all(self, *tags: str) -> list[Element]:
        own = [e for e in self.element.iter() if e.tag in tags and self._belongs(e)]
        outer = [e for e in self.page.tree.iter() if e.tag in tags and e.get("form") and self._belongs(e)]
        return own + [e for e in outer if e not in own]

    def _controls(self) -> list[Element]:
        return [
            e for e in self._all("input", "select", "textarea")
            if e.get("name") and e.get("type") not in ("submit", "button", "reset", "image")
            and not _is_disabled(self.page, e)
        ]  # fmt: skip

    def _buttons(self) -> list[Element]:
        return [
            e for e in self._all("button", "input")
            if _sends(e) and not _is_disabled(self.page, e)
        ]  # fmt: skip


UNCOUNTED = ("savepoint", "release savepoint", "rollback to", "select set_config", "prepare ")


@contextmanager
def count_statements() -> Iterator[list[str]]:
    """The SQL statements that run meanwhile, without BEGIN, COMMIT, savepoints and the school's stamp; prepared ones in full,
    as they run, not as a connection plans them for the first time."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        statement = context.execution_options.get("plain", statement)
        if not statement.lower().startswith(UNCOUNTED):
            statements.append(statement)

    engine = db.engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


# -- the rules -----------------------------------------------------------------------------------------------------

NAMELESS_INPUTS = {"hidden", "submit", "button", "reset", "image"}
FORBIDDEN_ATTRIBUTE = re.compile(r"on[a-z]+|hx-on.*|data-hx-on.*")
REFERENCES = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "form", "list")


def _faults(page: Page) -> Iterator[str]:
    yield from page.parse_errors
    yield from _skeleton_faults(page)
    yield from _id_faults(page)
    yield from _script_faults(page)
    yield from _name_faults(page)
    yield from _form_faults(page)
    for leftover in ("{{", "{%", " object at 0x", "LazyString", "Undefined"):
        if leftover in page.html:
            yield f"{leftover.strip()!r} stands in the page"


def _skeleton_faults(page: Page) -> Iterator[str]:
    headings = len(list(page.tree.iter("h1")))
    if page.is_whole and headings != 1:
        yield f"there are {headings} h1, not one"
    if not page.is_whole and headings > 1:
        yield f"there are {headings} h1 in a partial"
    if not page.is_whole and not page.is_partial:
        yield "a whole page was asked for, and a fragment came"
    if page.is_whole and page.is_partial:
        yield "a partial was asked for, and a whole page came"
    if page.is_whole:
        if not page.tree.get("lang"):
            yield "html has no lang"
        if len(page.title) < 3:
            yield "there is no title"
        if len(list(page.tree.iter("main"))) != 1:
            yield "there is not one main"


def _id_faults(page: Page) -> Iterator[str]:
    ids = [e.get("id", "") for e in page.tree.iter() if e.get("id") is not None]
    for name in {name for name in ids if ids.count(name) > 1}:
        yield f"the id {name!r} stands {ids.count(name)} times"
    if any(not name or " " in name for name in ids):
        yield "an id is empty or has a space in it"
    if not page.is_whole:
        return
    for element in page.tree.iter():
        if not isinstance(element.tag, str):
            continue
        named = [name for attribute in REFERENCES for name in (element.get(attribute) or "").split()]
        if element.tag == "a" and (element.get("href") or "").startswith("#"):
            named.append(element.get("href", "")[1:])
        for name in named:
            if name not in ids:
                yield f"<{element.tag}> points to #{name}, which is not there"


def _script_faults(page: Page) -> Iterator[str]:
    for element in page.tree.iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag == "style" or (
            element.tag == "script" and not (element.get("src") or "").startswith("/static/")
        ):
            yield f"inline <{element.tag}>"
        for name, value in element.attrib.items():
            if FORBIDDEN_ATTRIBUTE.fullmatch(name):
                yield f"<{element.tag}> has {name}"
            if re.match(r"\s*(js|javascript|data):", value) and name not in ("content", "value"):
                yield f"<{element.tag}> has {name}={value[:30]!r}"
            if name == "hx-trigger" and "[" in value:
                yield f"<{element.tag}> has a trigger filter: {value}"


def _name_faults(page: Page) -> Iterator[str]:
    for element in page.tree.iter():
        if element.tag in ("input", "select", "textarea"):
            if element.get("type") not in NAMELESS_INPUTS and not _label_of(page, element):
                yield f"<{element.tag} name={element.get('name')!r}> has no label"
        elif element.tag in ("button", "summary") or (element.tag == "a" and element.get("href") is not None):
            if not _name(element):
                yield f"<{element.tag}> has neither words nor an aria-label"
        elif element.tag == "img" and element.get("alt") is None:
            yield f"<img src={element.get('src')!r}> has no alt"
        if element.tag == "a" and element.get("href") in ("", "#"):
            yield f"the link {_name(element)!r} leads nowhere"


def _form_faults(page: Page) -> Iterator[str]:
    for form in page.forms():
        where = f"the form to {form.element.get('action')!r}"
        if form.element.get("method") not in ("get", "post"):
            yield f"{where} names no method"
        if not form.element.get("action"):
            yield f"{where} names no action"
        tokens = [e for e in form.element.iter("input") if e.get("name") == "csrf_token"]
        if form.method == "POST" and (len(tokens) != 1 or not tokens[0].get("value")):
            yield f"{where} carries {len(tokens)} CSRF tokens"
        if form.method == "GET" and tokens:
            yield f"{where} would put its CSRF token into the address"
        # A browser sends a form of one text field by Enter, button or not.
        if not form.buttons() and not (form.method == "GET" and len(form.names()) == 1):
            yield f"{where} cannot be sent without script: it has no button"


# -- reading elements ----------------------------------------------------------------------------------------------

CONTAINERS = {"tr": "tbody", "td": "tr", "th": "tr", "tbody": "table", "thead": "table", "option": "select"}


def _parse(html: str, *, whole: bool) -> tuple[Element, list[str]]:
    """The tree of a page or fragment, and a sentence for each place that is not valid HTML."""
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    if whole:
        tree = parser.parse(html)
    else:
        first = re.match(r"(?:\s|<!--.*?-->)*<([a-z]+)", html, re.S)
        tree = parser.parseFragment(html, container=CONTAINERS.get(first.group(1) if first else "", "div"))
    lines = html.splitlines()
    return tree, [
        f"line {line}: {SENTENCES[code] % values} in {lines[line - 1].strip()[:100]!r}"
        for (line, _column), code, values in parser.errors
        if 0 < line <= len(lines)
    ]


def _words(element: Element) -> str:
    """The words a person reads in an element, with single spaces."""
    return " ".join("".join(_texts(element)).split())


def _texts(element: Element) -> Iterator[str]:
    if element.tag in ("script", "style", "template") or not isinstance(element.tag, str):
        return
    yield element.text or ""
    for child in element:
        block = child.tag not in ("b", "em", "i", "strong", "code", "span", "small", "abbr", "kbd", "sub", "sup")
        yield " " if block else ""
        yield from _texts(child)
        yield " " if block else ""
        yield child.tail or ""


def _name(element: Element) -> str:
    """What a screen reader calls a button or link."""
    own = element.get("aria-label") or _words(element) or element.get("title") or ""
    if not own and element.tag == "input":
        own = element.get("value") or "Submit"
    return own or " ".join(image.get("alt") or "" for image in element.iter("img")).strip()


def _label_of(page: Page, control: Element) -> str:
    if control.get("aria-label"):
        return control.get("aria-label", "")
    for name in (control.get("aria-labelledby") or "").split():
        if (named := page.by_id(name)) is not None:
            return _words(named)
    if control.get("id"):
        for label in page.tree.iter("label"):
            if label.get("for") == control.get("id"):
                return _words(label)
    at = page.parents.get(control)
    while at is not None and at.tag != "label":
        at = page.parents.get(at)
    return _words(at) if at is not None else ""


def _sends(element: Element) -> bool:
    kinds = ("submit", "image") if element.tag == "input" else (None, "", "submit")
    return element.get("type") in kinds


def _is_disabled(page: Page, element: Element) -> bool:
    at: Element | None = element
    while at is not None:
        if at.get("disabled") is not None and at.tag in ("input", "select", "textarea", "button", "fieldset"):
            return True
        at = page.parents.get(at)
    return False


def _standing_values(control: Element) -> list[str]:
    if control.tag == "select":
        options = list(control.iter("option"))
        chosen = [o for o in options if o.get("selected") is not None]
        if not chosen and control.get("multiple") is None:
            chosen = options[:1]
        return [option.get("value", _words(option)) for option in chosen]
    if control.tag == "textarea":
        return [(control.text or "").removeprefix("\n")]
    if control.get("type") in ("checkbox", "radio"):
        return [control.get("value", "on")] if control.get("checked") is not None else []
    return [] if control.get("type") == "file" else [control.get("value", "")]


def _as_typed(name: str, value: Any, controls: list[Element]) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [controls[0].get("value", "on")]
    values = [str(v) for v in value] if isinstance(value, list | tuple | set) else [str(value)]
    offered = {o.get("value", _words(o)) for c in controls for o in c.iter("option")}
    offered |= {c.get("value", "on") for c in controls if c.get("type") in ("radio", "checkbox")}
    if offered:
        assert set(values) <= offered, f"{name!r} offers {sorted(offered)}, not {values}"
    return values


def _encoded(name: str, value: Any) -> str:
    return f"{quote_plus(name)}={quote_plus(str(value))}"
