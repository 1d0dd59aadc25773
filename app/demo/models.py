"""Which seed steps have run."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.models import Base


class SeedStep(Base):
    """A step of the demo's seed that has run, so that a second start adds only what is missing."""

    __tablename__ = "seed_step"

    name: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime] = mapped_column(server_default=func.now())
