"""Reading a course's folder (docs/content-format.md): the whole of it first, every fault with its file and place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from flask_babel import gettext as _

from app.courses.kinds import BadContent, StepKind, kind_of, known_kinds
from app.courses.operations.lined_yaml import LinedYaml
from app.courses.rules import LONGEST_LINE, LONGEST_TITLE, Fault, Fields, doubles
from app.courses.rules import Path as FaultPath

COURSE_FILE = "course.yaml"
FORMAT = 1
LONGEST_COURSE_FILE = 2_000_000
LONGEST_FILE = 100_000
"""Bytes."""
MOST_MODULES, MOST_LESSONS, MOST_STEPS, MOST_MINUTES = 100, 200, 200, 600
MOST_DEPARTMENTS, LONGEST_DEPARTMENT = 50, 120
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
LONGEST_LANGUAGE = 16
MARKDOWN_SUFFIXES = {".md", ".markdown"}
STEP_FIELDS = {"id", "kind", "title", "variants", "file"}
"""Fields that every step has, and `file`; all others are its kind's."""


class BadFile(ValueError):
    """A file that cannot be taken; its text is the sentence."""


@dataclass(frozen=True)
class Problem:
    """One fault of a course's folder."""

    file: str
    line: int
    place: str
    sentence: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.place}: {self.sentence}" if self.place else f"{where}: {self.sentence}"


class CourseFolder:
    """A course read from files. `course` is its tree if there are no `problems`:

    {slug, title, summary, level, language, modules: [{key, title, lessons: [{key, title, summary, minutes, steps: [{key, kind,
    title, content}]}]}]}. `steps` are the steps with the place each stands at, also of a course that has problems.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.course: dict[str, Any] = {}
        self.steps: list[tuple[Fields, dict[str, Any], dict[str, str]]] = []
        self.departments: list[tuple[Fields, int, str]] = []
        self.slugs: dict[str, list[tuple[Fields, str, str]]] = {"module": [], "lesson": []}
        self.files: dict[str, str] = {}
        self.faults: list[Fault] = []
        try:
            text = read_text(folder, COURSE_FILE, longest=LONGEST_COURSE_FILE)
        except BadFile as bad:
            self.problems.append(Problem(COURSE_FILE, 0, "", str(bad)))
            return
        self.yaml = LinedYaml(text, self._yaml_fault)
        if self.yaml.value is not None:
            self.course = self._read_course(Fields(self.yaml.value, (), self.faults))
            self._check_unnamed_files()

    def all_problems(self) -> list[Problem]:
        """Every problem found so far, those of course.yaml first, by line."""
        found = [
            Problem(COURSE_FILE, self.yaml.line_of(fault.path), fault.place, fault.sentence) for fault in self.faults
        ]
        return sorted(self.problems + found, key=lambda one: (one.file != COURSE_FILE, one.file, one.line))

    # -- course.yaml -----------------------------------------------------------------------------------------------

    def _read_course(self, fields: Fields) -> dict[str, Any]:
        fields.whole("format", low=FORMAT, high=FORMAT)
        course: dict[str, Any] = {
            "slug": fields.key("slug"),
            "title": fields.text("title", longest=LONGEST_TITLE),
            "summary": fields.text("summary", longest=LONGEST_LINE),
            "level": fields.key("level"),
            "language": self._language(fields),
        }
        self.departments = [
            (fields, at, name)
            for at, name in enumerate(fields.names("departments", longest=LONGEST_DEPARTMENT, high=MOST_DEPARTMENTS))
        ]
        course["modules"] = [self._read_module(one) for one in fields.items("modules", low=1, high=MOST_MODULES)]
        fields.nothing_else()
        self._check_keys()
        return course

    def _read_module(self, fields: Fields) -> dict[str, Any]:
        module: dict[str, Any] = {"key": fields.key("slug"), "title": fields.text("title", longest=LONGEST_TITLE)}
        self.slugs["module"].append((fields, "slug", module["key"]))
        module["lessons"] = [self._read_lesson(one) for one in fields.items("lessons", low=1, high=MOST_LESSONS)]
        fields.nothing_else()
        return module

    def _read_lesson(self, fields: Fields) -> dict[str, Any]:
        lesson: dict[str, Any] = {
            "key": fields.key("slug"),
            "title": fields.text("title", longest=LONGEST_TITLE),
            "summary": fields.text("summary", longest=LONGEST_LINE),
            "minutes": fields.whole("minutes", low=1, high=MOST_MINUTES),
        }
        self.slugs["lesson"].append((fields, "slug", lesson["key"]))
        lesson["steps"] = [self._read_step(one) for one in fields.items("steps", low=1, high=MOST_STEPS)]
        fields.nothing_else()
        return lesson

    def _read_step(self, fields: Fields) -> dict[str, Any]:
        step: dict[str, Any] = {
            "key": fields.key("id"),
            "kind": fields.choice("kind", known_kinds()),
            "title": fields.text("title", longest=LONGEST_TITLE),
        }
        fields.empty_list("variants", _("Only [] is taken here: variants come with a later format."))
        is_known = fields.value.get("kind") == step["kind"]
        step["content"], parts = self._read_content(fields, kind_of(step["kind"])) if is_known else ({}, {})
        self.steps.append((fields, step, parts))
        return step

    def _read_content(self, fields: Fields, kind: StepKind) -> tuple[dict[str, Any], dict[str, str]]:
        """The content and the stable keys inside of it; both empty where something is wrong with it."""
        content = {name: value for name, value in fields.value.items() if name not in STEP_FIELDS}
        file = ""
        if kind.file_field:
            for name in content:
                fields.fault(_("There is no field of this name here."), name)
            file = fields.text("file", longest=LONGEST_LINE)
            text = self._named_file(fields, file) if file else None
            if text is None:
                return {}, {}
            content = {kind.file_field: text}
        elif "file" in fields.value:
            fields.fault(_("There is no field of this name here."), "file")
        try:
            clean = kind.validate(content)
        except BadContent as bad:
            for fault in bad.faults:
                if file:
                    self.problems.append(Problem(file, 0, "", fault.sentence))
                else:
                    fields.fault(fault.sentence, *fault.path)
            return {}, {}
        return clean, kind.parts(kind.publish(clean)[0])

    def _language(self, fields: Fields) -> str:
        language = fields.text("language", longest=LONGEST_LANGUAGE)
        if language and not LANGUAGE.fullmatch(language):
            fields.fault(_("This is no language tag. Write one such as en or pt-BR."), "language")
        return language

    def _check_keys(self) -> None:
        """Slugs and ids are unique within the course; so are the keys inside of steps."""
        for slugs in self.slugs.values():
            doubles(slugs)
        doubles((fields, "id", step["key"]) for fields, step, _parts in self.steps)
        seen: set[str] = set()
        for fields, _step, parts in self.steps:
            for part in sorted(seen & parts.keys()):
                fields.fault(_("“%(key)s” stands in another step too; it must be unique in the course.", key=part))
            seen |= parts.keys()

    # -- files -----------------------------------------------------------------------------------------------------

    def _named_file(self, fields: Fields, name: str) -> str | None:
        """The text of a file that a step names, or None and a fault."""
        try:
            text = read_text(self.folder, name, longest=LONGEST_FILE)
        except BadFile as bad:
            fields.fault(str(bad), "file")
            return None
        path = str(PurePosixPath(name))
        if path in self.files:
            fields.fault(_("“%(other)s” has this file already.", other=self.files[path]), "file")
        self.files[path] = str(fields.value.get("id", ""))
        return text

    def _check_unnamed_files(self) -> None:
        named = set(self.files) | {str(fields.value.get("file")) for fields, _step, _parts in self.steps}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.suffix.lower() in MARKDOWN_SUFFIXES and name not in named:
                self.problems.append(Problem(name, 0, "", _("No step names this file.")))

    def _yaml_fault(self, line: int, path: FaultPath, sentence: str) -> None:
        self.problems.append(Problem(COURSE_FILE, line, Fault(path, sentence).place, sentence))


def read_text(folder: Path, name: str, *, longest: int) -> str:
    """The UTF-8 text of a file inside of a folder; raises BadFile. No way leads out: no `..`, no symbolic link."""
    path = PurePosixPath(name)
    if "\\" in name or "\x00" in name or path.is_absolute() or ".." in path.parts:
        raise BadFile(_("Name a file inside the course's folder, with / between folders: lesson/01-step.md."))
    real = folder
    for part in path.parts:
        real = real / part
        if real.is_symlink():
            raise BadFile(_("“%(name)s” is a symbolic link; copy the file itself.", name=name))
    if not real.is_file():
        raise BadFile(_("There is no file “%(name)s”.", name=name))
    if real.stat().st_size > longest:
        raise BadFile(_("“%(name)s” is longer than %(most)s bytes.", name=name, most=longest))
    try:
        return real.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(_("“%(name)s” is not UTF-8, from byte %(at)s on.", name=name, at=error.start)) from error
