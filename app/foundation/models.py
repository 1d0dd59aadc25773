"""The base of all tables, and the tables of the ground floor: one-use keys, outbox, jobs, heartbeats."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column


class Base(DeclarativeBase):
    """The declarative base: named constraints, timestamptz for datetimes, jsonb for dicts and lists."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        str: Text,
        int: BigInteger,
    }


class TenantRow:
    """A row of one school. In the database the key is (tenant_id, id) and the wall stands round it; the mapper knows `id`.

    `called_by` names the column by which people know a row: what the trail calls it.
    """

    called_by: ClassVar[str] = ""

    @declared_attr
    def tenant_id(cls) -> Mapped[int]:  # noqa: N805
        return mapped_column(BigInteger, ForeignKey("tenant.id", ondelete="CASCADE"), nullable=False)

    @declared_attr
    def id(cls) -> Mapped[int]:  # noqa: N805
        return mapped_column(BigInteger, Identity(always=True), autoincrement=True)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        return {"primary_key": [cls.__table__.c.id]}  # type: ignore[attr-defined]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805
        key = ("tenant_id", "id", *getattr(cls, "more_key_columns", ()))
        return (PrimaryKeyConstraint(*key), *getattr(cls, "constraints", ()), getattr(cls, "table_options", {}))


def tenant_ref(
    table: str, *, ondelete: str = "CASCADE", nullable: bool = False, index: bool = True, cycle: bool = False
) -> Any:
    """A column that points to a row of the same school: the foreign key is (tenant_id, column) → table(tenant_id, id).

    `ondelete` is CASCADE, RESTRICT or SET NULL (which blanks this column only). `cycle` says that the other table points
    back, so that this key is added after both exist.
    """
    return mapped_column(BigInteger, nullable=nullable, info={"tenant_ref": (table, ondelete, index, cycle)})


@event.listens_for(Table, "after_parent_attach")
def _add_composite_keys(table: Table, metadata: Any) -> None:
    if metadata is not Base.metadata:
        return
    columns: list[Column[Any]] = [column for column in table.columns if "tenant_ref" in column.info]
    for column in columns:
        target, ondelete, index, cycle = column.info["tenant_ref"]
        if ondelete == "SET NULL":
            ondelete = f"SET NULL ({column.name})"
        key = ForeignKeyConstraint(
            ["tenant_id", column.name],
            [f"{target}.tenant_id", f"{target}.id"],
            ondelete=ondelete,
            use_alter=cycle,
            name=f"fk_{table.name}_tenant_id_{column.name}",
        )
        table.append_constraint(key)
        if index:
            Index(f"ix_{table.name}_{column.name}", table.c.tenant_id, column)


class OnceKey(TenantRow, Base):
    """The one-use key of a form that creates something, hashed with what was sent, and where the first answer led."""

    __tablename__ = "once_key"
    constraints = (UniqueConstraint("tenant_id", "user_id", "key"),)

    key: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    location: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OutboxEvent(Base):
    """What happened, written in the transaction in which it happened. `payload` holds ids and codes, never content."""

    __tablename__ = "outbox_event"
    __table_args__ = (Index("ix_outbox_event_waiting", "id", postgresql_where=text("relayed_at is null")),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id", ondelete="CASCADE"))
    name: Mapped[str]
    payload: Mapped[dict[str, Any]]
    correlation_id: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    relayed_at: Mapped[datetime | None]


class Job(Base):
    """Work that must happen, once: claimed with a lease, tried again with a growing pause, parked as dead after `max_tries`.

    `key` is the effect key: a second job with the same key is never made. `args` holds ids, never content.
    """

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("not (done_at is not null and dead_at is not null)", name="one_end"),
        Index("ix_job_due", "run_at", postgresql_where=text("done_at is null and dead_at is null")),
        Index("ix_job_dead", "tenant_id", "id", postgresql_where=text("dead_at is not null")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id", ondelete="CASCADE"))
    kind: Mapped[str]
    key: Mapped[str]
    args: Mapped[dict[str, Any]]
    run_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(server_default="0")
    max_tries: Mapped[int] = mapped_column(server_default="8")
    claimed_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    error: Mapped[str | None]
    correlation_id: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


PROCESS_IS_LATE = timedelta(seconds=60)


class WorkerHeartbeat(Base):
    """When each worker, and cron, last said that it is alive. `name` begins with which it is: "worker:host:4711"."""

    __tablename__ = "worker_heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
