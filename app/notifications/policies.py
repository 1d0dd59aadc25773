"""Who may know of a notification."""

from __future__ import annotations

from app.foundation.actor import Actor
from app.foundation.permissions import sees
from app.notifications.models import Notification


@sees(Notification)
def notification_is_seen(actor: Actor, notification: Notification) -> bool:
    """A notification is its own person's and nobody else's, not even an admin's."""
    return notification.membership_id == actor.membership_id
