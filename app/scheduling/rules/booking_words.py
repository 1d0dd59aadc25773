"""The words and colors of bookings, wherever they are shown."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

STATUS_WORDS = {
    "requested": _l("requested"),
    "approved": _l("approved"),
    "assigned": _l("assigned"),
    "completed": _l("completed"),
    "declined": _l("declined"),
    "cancelled": _l("cancelled"),
}
STATUS_STATES = {
    "requested": "wait",
    "approved": "info",
    "assigned": "ok",
    "completed": "ok",
    "declined": "stop",
    "cancelled": "mute",
}
STATUS_ICONS = {
    "requested": "clock",
    "approved": "circle-dot",
    "assigned": "check",
    "completed": "circle-check",
    "declined": "circle-x",
    "cancelled": "ban",
}
ACTIVITY_WORDS = {
    "dual_flight": _l("Dual flight"),
    "simulator": _l("Simulator session"),
    "ground": _l("Ground lesson"),
    "briefing": _l("Briefing"),
}
SOURCE_WORDS = {"web": _l("Website"), "desk": _l("Front desk")}
DEED_WORDS = {
    "booking.requested": _l("Requested"),
    "booking.approved": _l("Approved"),
    "booking.assigned": _l("Assigned"),
    "booking.completed": _l("Completed"),
    "booking.declined": _l("Declined"),
    "booking.cancelled": _l("Cancelled"),
    "booking.escalated": _l("Escalated"),
}


def status_word(status: str) -> str:
    """A status as people say it."""
    return str(STATUS_WORDS[status])


def status_state(status: str) -> str:
    """The state color of a status: ok, wait, info, stop or mute."""
    return STATUS_STATES[status]


def status_icon(status: str) -> str:
    """The icon of a status, in the sprite."""
    return STATUS_ICONS[status]


def activity_word(activity: str) -> str:
    """An activity as people say it."""
    return str(ACTIVITY_WORDS.get(activity, activity))


def source_word(source: str) -> str:
    """Where a request came from."""
    return str(SOURCE_WORDS.get(source, source))


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
    return str(DEED_WORDS.get(action, action))
