"""Pages of what is booked besides people: aircraft, simulators and rooms."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_login import current_user

from app.foundation import clock, nav
from app.foundation.once import once
from app.foundation.permissions import access, requires
from app.foundation.replies import page, reply
from app.scheduling.forms.resources import KINDS, NewResourceForm, ResourceForm
from app.scheduling.models import Resource
from app.scheduling.operations.resources import add_resource, change_resource, retire_resource, return_resource
from app.scheduling.policies import Can
from app.scheduling.queries.availability import list_firm_bookings
from app.scheduling.queries.resources import list_things
from app.scheduling.views import bp

nav.add_card(
    nav.Card(
        _l("Aircraft and rooms"), _l("What can be booked besides people, and what is retired."),
        "scheduling.resource_index", "plane", 45, Can.KEEP_RESOURCES,
    )
)  # fmt: skip


@bp.get("/resources")
@requires(Can.KEEP_RESOURCES)
def resource_index() -> Any:
    return _index(NewResourceForm(formdata=None))


@bp.post("/resources")
@requires(Can.KEEP_RESOURCES)
@once
def resource_create() -> Any:
    form = NewResourceForm()
    deed = lambda: add_resource(  # noqa: E731
        form.kind.data, form.name.data or "", form.detail.data or "", actor=current_user
    )
    if made := form.carry_out(deed):
        return reply(url_for("scheduling.resource_index"), said=_("%(name)s is added.", name=made.name))
    return _index(form)


@bp.get("/resources/<int:resource_id>")
@requires(Can.KEEP_RESOURCES)
def resource_edit(resource_id: int) -> Any:
    resource = _thing(resource_id)
    return _editor(resource, ResourceForm(formdata=None, obj=resource))


@bp.post("/resources/<int:resource_id>")
@requires(Can.KEEP_RESOURCES)
def resource_update(resource_id: int) -> Any:
    resource, form = _thing(resource_id), ResourceForm()
    deed = lambda: change_resource(  # noqa: E731
        resource, name=form.name.data or "", detail=form.detail.data or "", actor=current_user
    )
    if form.carry_out(deed):
        return reply(url_for("scheduling.resource_index"), said=_("%(name)s is saved.", name=resource.name))
    return _editor(resource, form)


@bp.post("/resources/<int:resource_id>/retirement")
@requires(Can.KEEP_RESOURCES)
def resource_retire(resource_id: int) -> Any:
    """Out of service; where bookings to come still have it, its page names them."""
    resource = retire_resource(_thing(resource_id), actor=current_user)
    coming = len(list_firm_bookings(resource.id, after=clock.now()))
    if not coming:
        return reply(url_for("scheduling.resource_index"), said=_("%(name)s is retired.", name=resource.name))
    said = ngettext(
        "%(name)s is retired. %(num)d coming booking still has it.",
        "%(name)s is retired. %(num)d coming bookings still have it.",
        coming, name=resource.name,
    )  # fmt: skip
    return reply(url_for("scheduling.resource_edit", resource_id=resource.id), said=said)


@bp.post("/resources/<int:resource_id>/return")
@requires(Can.KEEP_RESOURCES)
def resource_return(resource_id: int) -> Any:
    resource = return_resource(_thing(resource_id), actor=current_user)
    return reply(url_for("scheduling.resource_index"), said=_("%(name)s is in service again.", name=resource.name))


@bp.get("/resources/<int:resource_id>/<any(retirement, return):deed>")
@requires(Can.KEEP_RESOURCES)
def resource_deed_show(resource_id: int, deed: str) -> Any:
    """A deed is posted; whoever opens its address is led to the page of the thing."""
    return redirect(url_for("scheduling.resource_edit", resource_id=_thing(resource_id).id), 303)


def _thing(resource_id: int) -> Resource:
    """The aircraft, simulator or room behind a URL id; people are kept elsewhere."""
    resource = access(Resource, resource_id)
    if resource.kind == "person":
        abort(404)
    return resource


def _index(form: NewResourceForm) -> Any:
    return page("scheduling/resources.html", form=form, things=list_things(), kinds=KINDS, status=form.status)


def _editor(resource: Resource, form: ResourceForm) -> Any:
    coming = list_firm_bookings(resource.id, after=clock.now())
    return page(
        "scheduling/resource.html", form=form, resource=resource, coming=coming, kinds=KINDS, status=form.status
    )
