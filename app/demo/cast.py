"""The people of the demo, who are also the people of the tests: invented, deterministic, at two schools."""

from __future__ import annotations

from dataclasses import dataclass, field

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
