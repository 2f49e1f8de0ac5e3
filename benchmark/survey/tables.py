"""The database of studies (SQLAlchemy Core; SQLite or PostgreSQL). Times are seconds since 1970.

A `cell` is what one vote fills: a pair at one exposure time, with a quota for each side. `held` counts leases alive and
votes counted, `done` the latter alone; that done <= held <= need is checked by the database itself, so no error in
this program can over-fill a pair.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

study = Table(
    "study",
    metadata,
    Column("id", String, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("sha", String, nullable=False),
    Column("state", String, nullable=False),  # "open" | "closed"
    Column("created", Float, nullable=False),
)

image = Table(
    "image",
    metadata,
    Column("token", String, primary_key=True),  # random; what a browser asks for
    Column("study", ForeignKey("study.id"), nullable=False),
    Column("file", String, nullable=False),  # in the study's folder of pictures
)

cell = Table(
    "cell",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study", ForeignKey("study.id"), nullable=False),
    Column("kind", String, nullable=False),  # "trial" | "gold"
    Column("pair", Integer, nullable=False),  # a rater judges a pair once, at one of its exposure times
    Column("comparison", String, nullable=False),
    Column("item", String, nullable=False),
    Column("method_a", String, nullable=False),
    Column("method_b", String, nullable=False),
    Column("image_a", ForeignKey("image.token"), nullable=False),
    Column("image_b", ForeignKey("image.token"), nullable=False),
    Column("exemplar", ForeignKey("image.token")),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("duration_ms", Integer),  # None: unlimited
    Column("right", Integer),  # gold: 0 where a is the better one, 1 where b is
    Column("shuffle", BigInteger, nullable=False),
    Column("need0", Integer, nullable=False),  # votes wanted with a on the left
    Column("need1", Integer, nullable=False),  # and with b on the left
    Column("held0", Integer, nullable=False, server_default="0"),
    Column("held1", Integer, nullable=False, server_default="0"),
    Column("done0", Integer, nullable=False, server_default="0"),
    Column("done1", Integer, nullable=False, server_default="0"),
    UniqueConstraint("study", "pair", "duration_ms"),
    CheckConstraint("0 <= done0 AND done0 <= held0 AND held0 <= need0"),
    CheckConstraint("0 <= done1 AND done1 <= held1 AND held1 <= need1"),
)
Index("cell_loads", cell.c.study, cell.c.kind, cell.c.held0 + cell.c.held1)  # a lease looks at the emptiest first

consent = Table(
    "consent",
    metadata,
    Column("sha", String, primary_key=True),
    Column("text", Text, nullable=False),
)

rater = Table(
    "rater",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study", ForeignKey("study.id"), nullable=False),
    Column("session", String, nullable=False, unique=True),  # sha256 of the cookie
    Column("person", String),  # keyed hash of the recruiter's id
    Column("source", String, nullable=False),
    Column("mode", String, nullable=False),  # "live" | "test" | "simulated"
    Column("salt", BigInteger, nullable=False),  # seeds the order of this rater's trials
    Column("consent", ForeignKey("consent.sha"), nullable=False),
    Column("answers", Text, nullable=False, server_default="{}"),  # demographics, JSON
    Column("asked", Boolean, nullable=False),  # whether the questions have been answered or passed over
    Column("comment", Text, nullable=False, server_default=""),
    Column("device", String, nullable=False),  # "desktop" | "tablet" | "phone"
    Column("step", Integer, nullable=False, server_default="0"),  # trials answered, of the rater's sequence
    Column("steps", Integer, nullable=False),
    Column("discards", Integer, nullable=False, server_default="0"),
    Column("created", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("finished", Float),
    UniqueConstraint("study", "person"),
)

payment = Table(
    "payment",
    metadata,
    Column("rater", ForeignKey("rater.id"), primary_key=True),
    Column("pid", String, nullable=False),
    Column("purge_after", Float, nullable=False),
)

assignment = Table(
    "assignment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),  # random; what a vote must bring
    Column("rater", ForeignKey("rater.id"), nullable=False),
    Column("cell", ForeignKey("cell.id"), nullable=False),
    Column("pair", Integer, nullable=False),
    Column("kind", String, nullable=False),  # "practice" | "trial" | "catch" | "repeat"
    Column("side", Integer, nullable=False),  # 0: a on the left, 1: b on the left
    Column("step", Integer, nullable=False),
    # leased: out, holds its place; spare: out, holds none; expired: was out too long, place given away;
    # counted, surplus: answered; discarded: shown out of tolerance
    Column("state", String, nullable=False),
    Column("issued", Float, nullable=False),
    Column("lease_until", Float, nullable=False),
    UniqueConstraint("rater", "pair", "kind"),
    Index("assignment_leases", "state", "lease_until"),
    Index("assignment_cells", "cell"),
)

vote = Table(
    "vote",
    metadata,
    Column("assignment", ForeignKey("assignment.id"), primary_key=True),
    Column("chosen", Integer, nullable=False),  # 0: a, 1: b
    Column("rt_ms", Float, nullable=False),  # from the first frame to the answer
    Column("on_ms", Float),  # frame stamps of first and last showing, from the page's start
    Column("off_ms", Float),
    Column("frames", Integer),
    Column("refresh_hz", Float),
    Column("skew_frames", Integer),  # between left and right; None: the browser does not tell
    Column("hidden", Integer, nullable=False),  # times that the page lost sight
    Column("created", Float, nullable=False),
)

discard = Table(
    "discard",
    metadata,
    Column("assignment", ForeignKey("assignment.id"), primary_key=True),
    Column("reason", String, nullable=False),
    Column("measured", Text, nullable=False),  # JSON
    Column("created", Float, nullable=False),
)

admin = Table(
    "admin",
    metadata,
    Column("session", String, primary_key=True),  # sha256 of the cookie
    Column("study", ForeignKey("study.id"), nullable=False),
    Column("until", Float, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study", ForeignKey("study.id"), nullable=False),
    Column("what", Text, nullable=False),
    Column("created", Float, nullable=False),
)
