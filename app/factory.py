"""The factory: one application of all features."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, make_response, redirect, request
from flask import session as cookie
from flask_login import current_user
from flask_migrate import Migrate
from jinja2 import StrictUndefined

from app.foundation import (
    assets,
    csrf,
    db,
    errors,
    formats,
    health,
    jobs,
    kept,
    language,
    limits,
    logs,
    metrics,
    nav,
    permissions,
    queue,
    replies,
    security,
    tenancy,
)
from app.foundation.actor import Actor
from app.foundation.cookies import KnownCookies
from app.foundation.models import Base
from app.foundation.proxies import TrustedProxies, parse_networks
from app.foundation.settings import Settings, read_settings
from app.foundation.templates import SharedTemplate

ROOT = Path(__file__).parents[1]
THEMES = ("auto", "light", "dark")


class Groundschool(Flask):
    """Flask, told that no view and no hook here is a coroutine: it would ask each of them anew, twenty times a request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application. Settings come from the environment unless given."""
    settings = settings or read_settings()
    logs.set_up_logs(settings.log_level)
    app = Groundschool("groundschool", root_path=str(ROOT), template_folder="templates", static_folder=None)
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.max_post_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_post_bytes,
        SESSION_COOKIE_NAME="groundschool",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=not settings.demo,
        PERMANENT_SESSION_LIFETIME=timedelta(days=settings.remembered_days),
        SESSION_REFRESH_EACH_REQUEST=False,
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "translations"),
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.template_class = SharedTemplate
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.session_interface = KnownCookies()
    security.harden(app, by_https=not settings.demo and settings.address.startswith("https://"))
    metrics.count_requests(app)
    _ask_for_set_up(app)
    tenancy.tenants_in_paths(app)
    _open_database(app, settings)
    queue.init_queue(settings.redis_url)
    limits.init_limits(settings.redis_url)
    app.wsgi_app = TrustedProxies(app.wsgi_app, parse_networks(settings.trusted_proxies))  # type: ignore[method-assign]
    csrf.init_csrf(app)
    language.init_language(app, _locale)
    errors.answer_errors(app)
    _add_features(app, settings)
    _dress_templates(app, settings)
    return app


def _ask_for_set_up(app: Flask) -> None:
    """Before any school is looked for in an address: there may be none at all."""
    from app.identity.views.set_up import ask_for_set_up

    ask_for_set_up(app)


def _open_database(app: Flask, settings: Settings) -> None:
    engine = db.init_db(settings.database_url, pool_size=settings.web_threads)
    tenancy.ring_on(engine)
    db.commit_on_return(app)
    migrate: Any = SimpleNamespace(metadata=Base.metadata, engine=engine, get_engine=lambda *_: engine)
    Migrate(app, migrate, directory=str(ROOT / "migrations"))


def _add_features(app: Flask, settings: Settings) -> None:
    """Register what each feature offers: blueprints, commands, reactions. Importing a feature's models makes its tables known."""
    from app.analytics import commands as analytics_commands
    from app.analytics import models as _analytics_models  # noqa: F401
    from app.audit import commands as audit_commands
    from app.audit import views as audit
    from app.console import views as console
    from app.courses import commands as courses_commands
    from app.courses import views as courses
    from app.courses.kinds import register_kind
    from app.courses.kinds.text import TextKind
    from app.demo import commands as demo_commands
    from app.demo import models as _demo_models  # noqa: F401
    from app.demo import views as demo
    from app.home import views as home
    from app.identity import commands as identity_commands
    from app.identity import policies as _identity_policies  # noqa: F401
    from app.identity import reactions as _identity_reactions  # noqa: F401
    from app.identity import views as identity
    from app.learning import views as learning
    from app.notifications import reactions as _notifications_reactions  # noqa: F401
    from app.notifications import views as notifications
    from app.quizzes import policies as _quizzes_policies  # noqa: F401
    from app.quizzes.kinds.quiz import QuizKind
    from app.scheduling import models as _scheduling_models  # noqa: F401
    from app.scheduling import reactions as _scheduling_reactions  # noqa: F401
    from app.scheduling import views as scheduling
    from app.tenants import queries as tenants_queries
    from app.tenants import views as tenants

    tenancy.tenants_come_from(tenants_queries.find_tenant_by_slug)
    jobs.tenants_by_id_come_from(tenants_queries.find_tenant_by_id)
    identity.login.init_app(app)
    for kind in (TextKind(), QuizKind()):
        register_kind(kind)
    assets.init_assets(app)
    for feature in (
        health.bp,
        identity.bp,
        identity.people_bp,
        tenants.bp,
        audit.bp,
        courses.bp,
        learning.bp,
        scheduling.bp,
        notifications.bp,
        home.bp,
        console.bp,
    ):
        app.register_blueprint(feature)
    if settings.demo:
        app.register_blueprint(demo.bp)
    app.cli.add_command(courses_commands.group)
    app.cli.add_command(demo_commands.group)
    app.cli.add_command(analytics_commands.group)
    app.cli.add_command(audit_commands.group)
    app.cli.add_command(identity_commands.tenant_group)
    app.cli.add_command(identity_commands.user_group)
    app.add_url_rule("/theme", "theme_update", _theme_update, methods=["POST"])


def _dress_templates(app: Flask, settings: Settings) -> None:
    """What every template may use."""
    formats.init_formats(app)
    kept.init_kept(app)
    app.jinja_env.globals.update(dom_id=replies.dom_id, correlation_id=logs.correlation_id)
    app.jinja_env.filters["may"] = permissions.may

    @app.context_processor
    def surroundings() -> dict[str, Any]:
        person: Actor = current_user._get_current_object()
        lang = language.locale_name().replace("_", "-")
        return {
            "tenant": tenancy.current(),
            "demo": settings.demo,
            "nav": nav.links_for(person, lang) if person.membership_id else (),
            "theme": _theme(),
            "several": person.has_other_schools,
            "lang": lang,
            "dir": "ltr",
        }


@permissions.public("light or dark is anybody's choice; it is kept in the cookie")
def _theme_update() -> Response:
    chosen = request.form.get("theme", "")
    if chosen in THEMES:
        cookie["theme"] = chosen
    return make_response(redirect(_came_from() or "/", 303))


def _came_from() -> str:
    """The page of ours on which a form stood. Its scheme is the proxy's, so only the host is compared."""
    from app.identity.views.cut_off import own_path

    host, _slash, page = (request.referrer or "").partition("://")[2].partition("/")
    return own_path(f"/{page}") if host == request.host else ""


def _theme() -> str:
    return str(cookie.get("theme", "auto"))


def _locale() -> str:
    """The language of whoever reads: a member's own, else the school's."""
    reader: Actor | None = current_user._get_current_object()
    if reader and reader.membership_id:
        return reader.locale
    school = tenancy.current()
    return school.locale if school else "en"
