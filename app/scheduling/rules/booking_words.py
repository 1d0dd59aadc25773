"""The words and colors of bookings, wherever they are shown."""

from __future__ import annotations

from flask_babel import gettext as _


def status_word(status: str) -> str:
    """A status as people say it."""
    return {
        "requested": _("requested"),
        "approved": _("approved"),
        "assigned": _("assigned"),
        "completed": _("completed"),
        "declined": _("declined"),
        "cancelled": _("cancelled"),
    }[status]


def status_state(status: str) -> str:
    """The state color of a status: ok, wait, info, stop or mute."""
    return {
        "requested": "wait",
        "approved": "info",
        "assigned": "ok",
        "completed": "ok",
        "declined": "stop",
        "cancelled": "mute",
    }[status]


def status_icon(status: str) -> str:
    """The icon of a status, in the sprite."""
    return {
        "requested": "clock",
        "approved": "circle-dot",
        "assigned": "check",
        "completed": "circle-check",
        "declined": "circle-x",
        "cancelled": "ban",
    }[status]


def activity_word(activity: str) -> str:
    """An activity as people say it."""
    return {
        "dual_flight": _("Dual flight"),
        "simulator": _("Simulator session"),
        "ground": _("Ground lesson"),
        "briefing": _("Briefing"),
    }.get(activity, activity)


def source_word(source: str) -> str:
    """Where a request came from."""
    return {"web": _("Website"), "desk": _("Front desk")}.get(source, source)


def length_word(minutes: int) -> str:
    """A length in hours and minutes: "1 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(minutes)d min", minutes=rest)
    if not rest:
        return _("%(hours)d h", hours=hours)
    return _("%(hours)d h %(minutes)d min", hours=hours, minutes=rest)


def deed_word(action: str) -> str:
    """An entry of the audit trail about a booking, as a history shows it."""
    return {
        "booking.requested": _("Requested"),
        "booking.approved": _("Approved"),
        "booking.assigned": _("Assigned"),
        "booking.completed": _("Completed"),
        "booking.declined": _("Declined"),
        "booking.cancelled": _("Cancelled"),
        "booking.escalated": _("Escalated to the admins"),
    }.get(action, action)
