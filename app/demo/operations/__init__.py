"""The demo's seed."""

from app.demo.operations.seeding import BOOKINGS, Step, seed, steps

__all__ = ["BOOKINGS", "Step", "seed", "steps"]
