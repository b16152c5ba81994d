"""Rows of the regular work that all processes of a hub share."""

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class JobRow(Base):
    """One named job: due at ``run_at``, or leased to ``holder`` until ``lease_until``.

    ``attempts`` counts tries since the last that went well; ``last_error`` is what the last try
    that did not go well said.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        # Claims look only here: without the condition they walk over everything that is leased.
        Index(
            "ix_jobs_run_at",
            "run_at",
            sqlite_where=text("lease_until IS NULL"),
            postgresql_where=text("lease_until IS NULL"),
        ),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    run_at: Mapped[int]
    lease_until: Mapped[int | None]
    holder: Mapped[str | None]
    attempts: Mapped[int]
    last_error: Mapped[str | None]
