"""What the schedule does when people and schools change."""

from __future__ import annotations

from app.foundation.events import reacts_to
from app.identity.events import (
    MemberAdded,
    MemberApproved,
    MemberJoined,
    MemberReinstated,
    ProfileChanged,
    RolesChanged,
)
from app.scheduling.operations.escalating import ask_again_about_all
from app.scheduling.operations.resources import make_instructor_bookable, rename_person_resource
from app.tenants.events import SchoolChanged


@reacts_to(SchoolChanged)
def on_school_changed(event: SchoolChanged) -> None:
    """Other escalation hours hold for what waits already, too."""
    if "escalate_after_hours" in event.fields.split(","):
        ask_again_about_all(event.version)


@reacts_to(ProfileChanged)
def on_profile_changed(event: ProfileChanged) -> None:
    """A person is booked under the name they have now."""
    rename_person_resource(event.membership_id)


@reacts_to(MemberAdded)
def on_member_added(event: MemberAdded) -> None:
    make_instructor_bookable(event.membership_id)


@reacts_to(MemberJoined)
def on_member_joined(event: MemberJoined) -> None:
    make_instructor_bookable(event.membership_id)


@reacts_to(MemberApproved)
def on_member_approved(event: MemberApproved) -> None:
    make_instructor_bookable(event.membership_id)


@reacts_to(MemberReinstated)
def on_member_reinstated(event: MemberReinstated) -> None:
    make_instructor_bookable(event.membership_id)


@reacts_to(RolesChanged)
def on_roles_changed(event: RolesChanged) -> None:
    make_instructor_bookable(event.membership_id)
