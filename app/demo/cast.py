"""The people of the demo, who are also the people of the tests: invented, deterministic, at two schools."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from app.foundation.permissions import Role

PASSWORD = "groundschool-demo"  # noqa: S105 — printed on the demo's sign-in page
DEMO_COST = 4
"""bcrypt's cost for the demo's published password, which no cost can protect."""

DEPARTMENTS = ("Private pilots", "Instrument", "Commercial", "Cabin crew")


@dataclass(frozen=True)
class Person:
    """One person of the cast."""

    email: str
    name: str
    roles: tuple[Role, ...]
    department: str | None = None


@dataclass(frozen=True)
class School:
    """One school of the cast. `zone` is an IANA name."""

    slug: str
    name: str
    zone: str
    people: tuple[Person, ...]
    departments: tuple[str, ...] = field(default=DEPARTMENTS)


FIRST_NAMES = (
    "Mia", "Noor", "Sam", "Theo", "Ines", "Jonas", "Aiko", "Ravi", "Élodie", "Tomás", "Greta", "Omar", "Freya", "Łukasz", "Zoë",
    "Milan", "Anouk", "Kofi", "Sofia", "Emil", "Yara",
    "Bruno", "Leila", "Oskar", "Priya", "Hugo", "Nadia", "Filip", "Clara", "Dario",
)  # fmt: skip
LAST_NAMES = {
    "skyline": (
        "Okafor", "Haddad", "Whitfield", "Lindqvist", "Carvalho", "Weiss", "Tanaka", "Menon", "Laurent", "Navarro",
        "Holm", "Farouk", "Nilsen", "Zieliński", "de Vries", "Petrović", "Dubois", "Mensah", "Rossi", "Bauer",
        "Nasser", "Costa", "Rahimi", "Virtanen", "Sharma", "Moreau", "Kovač", "Novák", "Fischer", "Ricci",
    ),
    "harbour": (
        "Adeyemi", "Saleh", "Thornton", "Berg", "Almeida", "Krüger", "Sato", "Iyer", "Girard", "Vega",
        "Dahl", "Mansour", "Solberg", "Wójcik", "Jansen", "Jovanović", "Lefèvre", "Boateng", "Greco", "Huber",
        "Khalil", "Pinto", "Karimi", "Laine", "Gupta", "Fontaine", "Horvat", "Dvořák", "Wagner", "Conti",
    ),
}  # fmt: skip


def _learners(slug: str) -> tuple[Person, ...]:
    """Thirty more learners, spread over the four departments."""
    return tuple(
        Person(f"learner{n:02}@{slug}.example", f"{first} {last}", (Role.LEARNER,), DEPARTMENTS[n % 4])
        for n, (first, last) in enumerate(zip(FIRST_NAMES, LAST_NAMES[slug], strict=True), start=1)
    )


BOTH = "both@skyline.example"
OPERATOR = "operator@groundschool.example"
"""Who runs the demo's Groundschool, and belongs to no school."""

SKYLINE = School(
    "skyline",
    "Skyline Flight School",
    "America/Los_Angeles",
    (
        Person("admin@skyline.example", "Ana Ruiz", (Role.ADMIN,)),
        Person("instructor@skyline.example", "Bea Lindgren", (Role.INSTRUCTOR,)),
        Person("manager@skyline.example", "Max Abara", (Role.MANAGER,)),
        Person("author@skyline.example", "Ada Kessler", (Role.AUTHOR,)),
        Person("learner@skyline.example", "Leo Hart", (Role.LEARNER,), DEPARTMENTS[0]),
        Person("owner@skyline.example", "Olga Marsh", (Role.ADMIN, Role.INSTRUCTOR, Role.AUTHOR)),
        Person(BOTH, "Bo Castellano", (Role.INSTRUCTOR,)),
        *_learners("skyline"),
    ),
)
HARBOUR = School(
    "harbour",
    "Harbour Aviation Academy",
    "Europe/London",
    (
        Person("admin@harbour.example", "Hal Pryce", (Role.ADMIN,)),
        Person("instructor@harbour.example", "Ivy Farrow", (Role.INSTRUCTOR,)),
        Person("manager@harbour.example", "Mona Quill", (Role.MANAGER,)),
        Person("author@harbour.example", "Art Sandoval", (Role.AUTHOR,)),
        Person("learner@harbour.example", "Lou Finch", (Role.LEARNER,), DEPARTMENTS[0]),
        Person(BOTH, "Bo Castellano", (Role.LEARNER,), DEPARTMENTS[1]),
        *_learners("harbour"),
    ),
)
SCHOOLS = {school.slug: school for school in (SKYLINE, HARBOUR)}

FLEET = {
    "skyline": (
        ("aircraft", "N123AB", "Cessna 172S"),
        ("aircraft", "N77KC", "Piper Archer"),
        ("aircraft", "N508SP", "Diamond DA20"),
        ("simulator", "Sim 1", "Redbird FMX"),
    ),
    "harbour": (
        ("aircraft", "G-HRBA", "Cessna 152"),
        ("aircraft", "G-TIDE", "Piper Warrior"),
        ("simulator", "Sim A", "Elite S923"),
    ),
}
"""What each school flies: kind, name, type."""

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY = range(6)
TEACHING: dict[str, dict[str, dict[tuple[int, ...], tuple[tuple[int, int], ...]]]] = {
    "skyline": {
        "instructor@skyline.example": {
            (MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY): ((9, 12), (13, 17)),
            (SATURDAY,): ((9, 12),),
        },
        "owner@skyline.example": {(TUESDAY, THURSDAY): ((13, 18),)},
        BOTH: {(MONDAY, WEDNESDAY): ((8, 12),), (FRIDAY,): ((10, 16),)},
    },
    "harbour": {
        "instructor@harbour.example": {
            (MONDAY, TUESDAY, THURSDAY, FRIDAY): ((9, 12), (13, 17)),
            (SATURDAY,): ((10, 14),),
        },
    },
}
"""When instructors teach: days of the week, and from and to in hours of the school's wall clock."""

AWAY = {
    "skyline": ("instructor@skyline.example", WEDNESDAY, "Day off"),
    "harbour": ("instructor@harbour.example", THURSDAY, "Day off"),
}
"""Who is away on a day to come, on which weekday, and why."""

# -- how the schools are set up ------------------------------------------------------------------------------------

TREE = {
    "Flight training": ("Private pilots", "Instrument", "Commercial"),
    "Cabin training": ("Cabin crew",),
}
"""The departments that lie above others, and those below each."""


@dataclass(frozen=True)
class Wanted:
    """A course that the demo's managers ask for: of a department, of one person (by e-mail), or of everybody.

    `due_in` are days from when they asked, which was some days ago; None = no day was set.
    """

    course: str
    due_in: int | None
    note: str
    department: str | None = None
    person: str | None = None


AUDIENCES = {"radio-calls": ("Flight training",)}
"""The courses, by slug, that are not for everybody, and the departments that they are for."""
WANTED = {
    "skyline": (
        Wanted("weather-for-pilots", 10, "Before your next dual flight, please.", department="Flight training"),
        Wanted("radio-calls", 2, "We read back together next week.", department="Instrument"),
        Wanted("airspace", 16, "", person="learner05@skyline.example"),
        Wanted("airspace", None, "", department="Commercial"),
    ),
    "harbour": (
        Wanted("weather-for-pilots", 10, "Before your next dual flight, please.", department="Flight training"),
        Wanted("radio-calls", 2, "We read back together next week.", department="Commercial"),
        Wanted("weather-for-pilots", 24, "", department="Cabin crew"),
    ),
}

LEVELS = ("Student pilot", "Private pilot", "Instrument rated", "Commercial pilot", "Crew trainee")
TAGS = ("Scholarship", "Night rating", "Tailwheel", "Evenings only", "Exam booked")
LEVEL_OF_DEPARTMENT = {
    "Private pilots": "Student pilot", "Instrument": "Private pilot", "Commercial": "Instrument rated",
    "Cabin crew": "Crew trainee",
}  # fmt: skip


@dataclass(frozen=True)
class House:
    """How a school works. `hours` are minutes from midnight by weekday; `told` are the people whom escalations reach, by e-mail.

    `closed` holds months and days on which nobody flies, whatever the year.
    """

    hours: dict[str, list[int]]
    closed: tuple[tuple[int, int], ...]
    latitude: float
    longitude: float
    brand_color: str
    escalate_after_hours: int
    told: tuple[str, ...]
    phone: str


HOUSES = {
    "skyline": House(
        hours={**{str(day): [8 * 60, 19 * 60] for day in range(5)}, "5": [8 * 60, 13 * 60]},
        closed=((1, 1), (7, 4), (12, 25)),
        latitude=37.5119,
        longitude=-122.2495,
        brand_color="#1d4f91",
        escalate_after_hours=6,
        told=("admin@skyline.example", "owner@skyline.example", "manager@skyline.example"),
        phone="+1 650 555 01{:02}",
    ),
    "harbour": House(
        hours={**{str(day): [8 * 60 + 30, 18 * 60] for day in range(5)}, "5": [10 * 60, 15 * 60]},
        closed=((1, 1), (12, 25), (12, 26)),
        latitude=50.8356,
        longitude=-0.2972,
        brand_color="#0f6658",
        escalate_after_hours=4,
        told=("admin@harbour.example", "manager@harbour.example"),
        phone="+44 1632 9601{:02}",
    ),
}
CONTACTS = ("partner", "parent", "friend", "sibling", "spouse")
"""What the person to call in an emergency is to the one who flies."""


# -- people who are not simply in ----------------------------------------------------------------------------------


class Standing(StrEnum):
    """How somebody stands at the school, or what is special about them."""

    WAITING = "waiting"
    UNCONFIRMED = "unconfirmed"
    INVITED = "invited"
    INVITED_TOO_LONG_AGO = "invited too long ago"
    DECLINED = "declined"
    SUSPENDED = "suspended"
    SECOND_FACTOR = "second factor"
    ERASED = "erased"


@dataclass(frozen=True)
class Newcomer:
    """Somebody who came to the school some time before the demo begins: `came` is how long, `reason` why they are kept out."""

    person: Person
    standing: Standing
    came: timedelta
    reason: str = ""


def _newcomer(
    email: str, name: str, standing: Standing, *, days: float, role: Role = Role.LEARNER, department: int | None = None,
    reason: str = "",
) -> Newcomer:  # fmt: skip
    place = DEPARTMENTS[department] if department is not None else None
    return Newcomer(Person(email, name, (role,), place), standing, timedelta(days=days), reason)


NEWCOMERS = {
    "skyline": (
        _newcomer("nico.brandt@skyline.example", "Nico Brandt", Standing.WAITING, days=2.2),
        _newcomer("tara.whitcombe@skyline.example", "Tara Whitcombe", Standing.WAITING, days=0.3),
        _newcomer("jules.amari@skyline.example", "Jules Amari", Standing.UNCONFIRMED, days=0.2),
        _newcomer(
            "petra.vance@skyline.example", "Petra Vance", Standing.INVITED, days=3.1, role=Role.INSTRUCTOR
        ),
        _newcomer(
            "owen.talbot@skyline.example", "Owen Talbot", Standing.INVITED_TOO_LONG_AGO, days=20.4, department=1
        ),
        _newcomer(
            "rex.holloway@skyline.example", "Rex Holloway", Standing.DECLINED, days=5.3,
            reason="We teach from the age of 16. Write to us again in spring.",
        ),
        _newcomer(
            "kim.sorensen@skyline.example", "Kim Sørensen", Standing.SUSPENDED, days=13.2, department=2,
            reason="Your medical certificate has lapsed. Show us the new one, and you fly again.",
        ),
        _newcomer(
            "dana.idowu@skyline.example", "Dana Idowu", Standing.SECOND_FACTOR, days=12.1, role=Role.MANAGER
        ),
        _newcomer("former.student@skyline.example", "Vera Lang", Standing.ERASED, days=11.5, department=0),
    ),
    "harbour": (
        _newcomer("amy.thorne@harbour.example", "Amy Thorne", Standing.WAITING, days=1.2),
        _newcomer("ben.ashdown@harbour.example", "Ben Ashdown", Standing.UNCONFIRMED, days=0.4),
        _newcomer("ravi.nair@harbour.example", "Ravi Nair", Standing.INVITED, days=2.6, department=0),
        _newcomer(
            "lena.voss@harbour.example", "Lena Voss", Standing.SUSPENDED, days=10.2, department=1,
            reason="Two lessons were missed without a word. Speak with the office.",
        ),
    ),
}  # fmt: skip


# -- a week of visits ----------------------------------------------------------------------------------------------

DAYS_OF_VISITS = 7
DEVICES = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
)
NETWORK = "198.51.100.{}"
"""Addresses that belong to nobody (RFC 5737)."""
ACTED_AS = ("author@{}.example", timedelta(days=2.9), "They cannot find the button that publishes a course.")
"""As whom the school's admin acted, how long ago, and why."""
