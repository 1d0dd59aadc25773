"""Looking into a page within this process: its statements, its bytes, the processor's time it takes."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import EnvironBuilder

from app.demo.cast import PASSWORD
from app.factory import create_app
from app.foundation import db, tenancy
from bench.floor import FloorPlan
from bench.pages import SCHOOL, Floor, PageToMeasure

if TYPE_CHECKING:
    from app.foundation.settings import Settings

BROWSER = {
    "Host": "127.0.0.1",
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Encoding": "gzip, deflate",
    "Accept-Language": "en-US,en;q=0.9",
}
HIDDEN = re.compile(r'<input[^>]*name="(csrf_token|once)"[^>]*value="([^"]+)"')
HOP_BY_HOP = {"content-length", "connection", "set-cookie"}
WARM_UP = 5
BASE = "https://127.0.0.1"


@dataclass(frozen=True)
class Statement:
    """One statement as it ran, its values written in."""

    sql: str


@dataclass(frozen=True)
class Look:
    """A page seen from within: its address, the headers that ask for it, its statements and its floor."""

    page: PageToMeasure
    path: str
    headers: dict[str, str]
    statements: tuple[Statement, ...]
    floor: FloorPlan


class Inside:
    """The product in this process, with somebody of each role signed in as they ask for something."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self.clients: dict[str | None, FlaskClient] = {}
        self.statements: list[Statement] = []
        event.listen(db.engine(), "before_cursor_execute", self._note)
        self.facts: dict[str, str] = {"school": SCHOOL}
        self.facts |= self._course_facts()

    def look(self, page: PageToMeasure) -> Look:
        """Ask for a page until it is warm, then once more with open eyes."""
        path = page.path.format_map(self.facts)
        headers = BROWSER | self._cookie(page.person)
        for _ in range(WARM_UP):
            self._get(path, headers)
        self.statements.clear()
        body, answered = self._get(path, headers)
        statements = tuple(self.statements)
        member, user = self._ids(page.person)
        plan = FloorPlan(
            tenant=self._tenant_id if SCHOOL in path else "",
            user=user if SCHOOL not in path else "",
            member=member,
            keys=len(statements) if page.floor is Floor.KEYS else 0,
            selects=tuple(s.sql for s in statements) if page.floor is Floor.ROWS else (),
            body=body,
            headers=tuple((name, value) for name, value in answered if name.lower() not in HOP_BY_HOP),
        )
        return Look(page, path, headers, statements, plan)

    def cpu_ms(self, look: Look, *, loops: int) -> float:
        """Processor time of this process for one request, in milliseconds: what PostgreSQL takes is not in it."""
        for _ in range(WARM_UP):
            self._get(look.path, look.headers)
        began = time.process_time()
        for _ in range(loops):
            self._get(look.path, look.headers)
        return (time.process_time() - began) / loops * 1000

    def _get(self, path: str, headers: dict[str, str]) -> tuple[bytes, list[tuple[str, str]]]:
        """Ask as gunicorn does. Anything but 200 ends the run: a refusal is fast, and no page."""
        said: list[Any] = []
        environ = EnvironBuilder(path, headers=list(headers.items()), base_url=BASE).get_environ()
        answer: Any = self.app(environ, _taking(said))
        body = b"".join(answer)
        answer.close()
        if not said[0].startswith("200"):
            raise RuntimeError(f"{path} answers {said[0]}")
        return body, said[1]

    def _note(self, _connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, _many: bool) -> None:
        statement = context.execution_options.get("plain", statement)
        if statement is not tenancy.STAMP and not statement.startswith(("SAVEPOINT", "RELEASE")):
            self.statements.append(Statement(cursor.mogrify(statement, parameters).decode()))

    # -- who asks --

    def _client(self, person: str | None) -> FlaskClient:
        if person not in self.clients:
            client = self.app.test_client()
            client.environ_base["wsgi.url_scheme"] = "https"
            if person:
                form = _hidden(client.get("/login", base_url=BASE))
                fields = {**form, "email": f"{person}@{SCHOOL}.example", "password": PASSWORD}
                assert client.post("/login", data=fields, base_url=BASE).status_code == 303
                client.get(f"/{SCHOOL}/", base_url=BASE)
            self.clients[person] = client
        return self.clients[person]

    def _cookie(self, person: str | None) -> dict[str, str]:
        if person is None:
            return {}
        kept = self._client(person).get_cookie("groundschool", domain="127.0.0.1")
        assert kept
        return {"Cookie": f"groundschool={kept.value}"}

    def _ids(self, person: str | None) -> tuple[int, str]:
        """The membership and the account of somebody at the school, for the floor's stamp and its keys."""
        if person is None:
            return 0, ""
        row = self._row(
            "select m.id, m.user_id from membership m join user_account u on u.id = m.user_id where u.email = %(email)s",
            email=f"{person}@{SCHOOL}.example",
        )
        return row[0], str(row[1])

    # -- what is asked for --

    def _course_facts(self) -> dict[str, str]:
        """The learner's course with most steps, a text step in its middle, and a question of a quiz that is begun."""
        self._tenant_id = str(self._row("select id from tenant where slug = %(slug)s", slug=SCHOOL)[0])
        course, outline = self._row(
            "select e.course_id, p.outline from enrollment e join publication p on p.id = e.publication_id"
            " where e.membership_id = %(member)s order by p.step_count desc, e.id limit 1",
            member=self._ids("learner")[0],
        )
        lessons = [lesson for module in outline["modules"] for lesson in module["lessons"]]
        steps = [(lesson["key"], step["key"], step["kind"]) for lesson in lessons for step in lesson["steps"]]
        texts = [step for step in steps if step[2] == "text"]
        quiz = next(step for step in steps if step[2] == "quiz")
        text = texts[len(texts) // 2]
        address = f"/{SCHOOL}/courses/{course}/lessons/{{}}/steps/{{}}"
        everybodys = (
            "select id from assignment where membership_id is null and department_id is null order by id limit 1"
        )
        return {
            "assignment": str(self._row(everybodys)[0]),
            "course": str(course),
            "step": address.format(*text[:2]),
            "question": self._begin_quiz(address.format(*quiz[:2])),
        }

    def _begin_quiz(self, step: str) -> str:
        """Press Start as the learner would; the address of the first question, also of an attempt that is open already."""
        client = self._client("learner")
        shown = client.get(step, base_url=BASE)
        if open_one := re.search(rf'href="({re.escape(step)}/questions/[^"]+)"', shown.text):
            return open_one[1]
        begun = client.post(f"{step}/attempts", data=_hidden(shown), base_url=BASE)
        assert begun.status_code == 303, begun.status
        return str(begun.headers["Location"])

    def _row(self, statement: str, **values: object) -> Any:
        """The first row of a statement of our own, at the school."""
        with db.unit_of_work() as session, tenancy.tenant_scope(tenancy.find_by_slug(SCHOOL)):
            return session.connection().exec_driver_sql(statement, values).one()


def _taking(said: list[Any]) -> Any:
    """What WSGI calls with status and headers."""
    return lambda status, fields, _error=None: said.extend((status, fields))


def _hidden(page: Any) -> dict[str, str]:
    """The hidden fields that every form of ours carries."""
    assert page.status_code == 200, page.status
    return dict(HIDDEN.findall(page.text))
