"""Databases made before 0001 and 0006 were changed after they had landed become what those make today.

0001 first made `course.level` of 40 characters and a publication without level and language; 0006 for a while made a function
that counted a person's schools. Where neither is so, nothing happens.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FREEZE_LEVEL_AND_LANGUAGE = """
do $$
begin
  if not exists (
    select from pg_attribute where attrelid = 'publication'::regclass and attname = 'level' and not attisdropped
  ) then
    alter table publication
      add column level varchar(80) not null default '',
      add column language varchar(16) not null default 'en';
    update publication set level = course.level, language = course.language
      from course where course.tenant_id = publication.tenant_id and course.id = publication.course_id;
  end if;
end $$
"""


def upgrade() -> None:
    op.execute("alter table course alter column level type varchar(80)")
    op.execute(FREEZE_LEVEL_AND_LANGUAGE)
    op.execute("drop function if exists school_count(bigint)")


def downgrade() -> None:
    raise NotImplementedError("what was made good is not undone: restore a backup instead")
