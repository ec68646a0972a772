"""SQL that later migrations share: how a table's past is kept, row by row, and asked as of a moment.

A history table holds the watched columns of its table with the span of time in which they were so: `valid_from` up to,
not including, `valid_to`, which is `infinity` while it still is so. Triggers write it, whoever changes the table, and
nothing else can. One transaction is one moment: what it changed became so all at once.
"""

from __future__ import annotations

from dataclasses import dataclass

_PREFIX = "governance_history_"


@dataclass(frozen=True)
class Watched:
    """One table, its columns whose past is kept, and which of them the history is looked up by."""

    table: str
    columns: tuple[str, ...]
    looked_up_by: tuple[str, ...] = ()

    @property
    def history(self) -> str:
        """The name of the table that holds the past."""
        return _PREFIX + self.table.partition("_")[2]

    def create(self) -> str:
        """Return the SQL of the history table, filled from the audit trail, and of the triggers that keep it."""
        names = ", ".join(("id", *self.columns))
        indexes = "".join(
            f"CREATE INDEX {self.history}_{column} ON {self.history} ({column});\n" for column in self.looked_up_by
        )
        return (
            f"CREATE TABLE {self.history} AS SELECT {names} FROM {self.table} WITH NO DATA;\n"
            f"ALTER TABLE {self.history} ADD COLUMN valid_from timestamptz NOT NULL,\n"
            "  ADD COLUMN valid_to timestamptz NOT NULL,\n"
            '  ADD COLUMN "transaction" bigint NOT NULL,\n'
            "  ADD CHECK (valid_from <= valid_to),\n"
            "  ADD PRIMARY KEY (id, valid_from);\n"
            f"{indexes}{self.fill()}{self.guard()}{self.keep()}"
        )

    def fill(self) -> str:
        """Return the SQL that fills the empty history with what the audit trail says happened."""
        return f"INSERT INTO {self.history}\n{self.told_by_the_trail()};\nANALYZE {self.history};\n"

    def told_by_the_trail(self) -> str:
        """Return the query that replays the audit trail of the table into rows of its history.

        A row whose trail does not begin with its insertion is known from now on.
        """
        names = ", ".join(("id", *self.columns))
        watched = ", ".join(f"s.{name}" for name in self.columns)
        return f"""
WITH told AS (
  SELECT chain, sequence, "transaction", action, min(at) OVER (PARTITION BY "transaction") AS moment,
         CASE WHEN action = 'update'
              THEN (SELECT jsonb_object_agg(c.key, c.value -> 1) FROM jsonb_each(changes) c) ELSE changes END AS delta
    FROM governance_auditevent WHERE "table" = '{self.table}'
), replayed AS (
  -- The clock may have been set back; a row's moments never are.
  SELECT chain, sequence, "transaction", action = 'delete' AS gone,
         max(moment) OVER w AS moment, governance_jsonb_merged(delta) OVER w AS state,
         first_value(action) OVER w = 'insert' AS is_whole
    FROM told WINDOW w AS (PARTITION BY chain ORDER BY sequence)
), settled AS (
  SELECT DISTINCT ON (chain, moment) * FROM replayed WHERE is_whole ORDER BY chain, moment, sequence DESC
), states AS (
  SELECT p.chain, p.moment, p.gone, p."transaction" AS writer, s.*, jsonb_build_array(p.gone, {watched}) AS watched
    FROM settled p CROSS JOIN LATERAL jsonb_populate_record(NULL::{self.table}, p.state) s
), compared AS (
  SELECT *, lag(watched) OVER (PARTITION BY chain ORDER BY moment) AS before FROM states
), turns AS (
  SELECT *, coalesce(lead(moment) OVER (PARTITION BY chain ORDER BY moment), 'infinity') AS turn
    FROM compared WHERE before IS DISTINCT FROM watched
)
SELECT {names}, moment AS valid_from, turn AS valid_to, writer AS "transaction" FROM turns WHERE NOT gone
UNION ALL
SELECT {names}, clock_timestamp(), 'infinity', (pg_current_xact_id()::text)::bigint FROM {self.table} t
 WHERE NOT EXISTS (SELECT 1 FROM turns WHERE turns.id = t.id)"""

    def guard(self) -> str:
        """Return the SQL that refuses every writer of the history but its triggers."""
        return (
            f"CREATE TRIGGER kept BEFORE INSERT OR UPDATE OR DELETE ON {self.history}\n"
            "  FOR EACH ROW EXECUTE FUNCTION governance_history_guard();\n"
            f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON {self.history}\n"
            "  FOR EACH STATEMENT EXECUTE FUNCTION governance_history_guard();\n"
            f"ALTER TABLE {self.history} ENABLE ALWAYS TRIGGER kept;\n"
            f"ALTER TABLE {self.history} ENABLE ALWAYS TRIGGER kept_whole;\n"
        )

    def keep(self) -> str:
        """Return the SQL of the triggers that write the history; a change of nothing watched costs one comparison."""
        differs = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in ("id", *self.columns))
        function = f"{self.history}_keep()"
        triggers = "".join(
            f"CREATE TRIGGER {name} AFTER {event} ON {self.table} FOR EACH ROW {when}\n"
            f"  EXECUTE FUNCTION {function};\n"
            f"ALTER TABLE {self.table} ENABLE ALWAYS TRIGGER {name};\n"
            for name, event, when in (
                ("history", "INSERT OR DELETE", ""),
                ("history_changed", "UPDATE", f"WHEN ({differs})"),
            )
        )
        return self._function() + triggers

    def also(self, column: str, kind: str) -> str:
        """Return the SQL that has the history keep one more column, which the table got after the history.

        `kind` is its type with what the rows of the past shall have, as `jsonb NOT NULL DEFAULT '{}'`. Its own
        `columns` name the others.
        """
        wider = Watched(self.table, (*self.columns, column), self.looked_up_by)
        return (
            f"ALTER TABLE {self.history} ADD COLUMN {column} {kind};\n"
            f"DROP TRIGGER history ON {self.table};\nDROP TRIGGER history_changed ON {self.table};\n"
            f"DROP FUNCTION {self.history}_keep();\n{wider.keep()}"
        )

    def _function(self) -> str:
        names = ", ".join(("id", *self.columns))
        values = ", ".join(f"NEW.{name}" for name in ("id", *self.columns))
        renewed = ", ".join(f"{name} = NEW.{name}" for name in self.columns)
        return f"""
CREATE FUNCTION {self.history}_keep() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  since timestamptz; writer bigint; moment timestamptz;
  xid bigint := (pg_current_xact_id()::text)::bigint;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    SELECT h.valid_from, h."transaction" INTO since, writer FROM {self.history} h
     WHERE h.id = OLD.id AND h.valid_to = 'infinity' ORDER BY h.valid_from DESC LIMIT 1;
    IF writer = xid THEN
      -- Written by this very transaction: nobody has seen it, and one transaction is one moment.
      IF TG_OP = 'UPDATE' AND NEW.id = OLD.id THEN
        UPDATE {self.history} h SET {renewed} WHERE h.id = OLD.id AND h.valid_from = since;
        RETURN NULL;
      END IF;
      UPDATE {self.history} h SET valid_to = since WHERE h.id = OLD.id AND h.valid_from = since;
    ELSIF since IS NOT NULL THEN
      moment := governance_history_moment(since);
      UPDATE {self.history} h SET valid_to = moment WHERE h.id = OLD.id AND h.valid_from = since;
    END IF;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO {self.history} AS h ({names}, valid_from, valid_to, "transaction")
    VALUES ({values}, coalesce(moment, governance_history_moment('-infinity')), 'infinity', xid)
    ON CONFLICT (id, valid_from) DO UPDATE SET ({names}, valid_to) = ({values}, 'infinity');
  END IF;
  RETURN NULL;
END $$;
"""


RECORD = Watched(
    "governance_stagerecord",
    (
        "version_id", "stage", "account_id", "status", "validation_metrics", "monitoring_metrics",
        "monitoring_endpoint", "monitoring_captured_at", "outdated_at", "audit_at", "audit_user",
    ),
    ("version_id",),
)  # fmt: skip
USE_CASE_RECORD = Watched(
    "governance_usecasestagerecord",
    ("use_case_id", "stage", "status", "outdated_at", "audit_at", "audit_user"),
    ("use_case_id",),
)
USE_CASE = Watched("registry_usecase", ("number", "name", "stage", "status", "risk_class", "project_id", "attributes"))
VERSION = Watched(
    "registry_modelversion",
    (
        "arn", "group_id", "number", "owner_name", "line_of_business", "risk_rating", "artifact_url",
        "hub_artifact_url", "stage", "status",
    ),
)  # fmt: skip
LINK = Watched("registry_versionusecase", ("version_id", "use_case_id"), ("version_id",))
GROUP = Watched("registry_modelgroup", ("name", "owner_id", "project_id", "attributes"))
PROJECT = Watched("registry_project", ("key", "name", "line_of_business_id"))
LINE = Watched("registry_lineofbusiness", ("name",))
ACCOUNT = Watched("registry_awsaccount", ("account_id", "alias"))
PERSON = Watched("registry_user", ("username", "display_name", "first_name", "last_name"))
KEPT = (RECORD, USE_CASE_RECORD, USE_CASE, VERSION, LINK, GROUP, PROJECT, LINE, ACCOUNT, PERSON)


def stage_table_as_of(attributes: str = "'{}'::jsonb") -> str:
    """Return the SQL of the function that gives the stage governance table as of a moment.

    `attributes` is the expression that gives a record's custom attributes (`r` is the record's history). The function
    is one SELECT, so that the planner takes it apart: a caller's filters reach the histories, and what he does not
    read (such as `risks`, the class of every use case the version served) costs nothing.
    """
    return f"""
CREATE OR REPLACE FUNCTION governance_stage_table_as_of(moment timestamptz) RETURNS TABLE (
  id bigint, row_key integer, version_id bigint, group_id bigint, use_case_number integer, use_case_name text,
  use_case_stage text, model_group text, model_version integer, model_owner text, model_lob text, model_project text,
  model_stage text, model_status text, model_risk text, validation_metrics jsonb, monitoring_metrics jsonb,
  monitoring_endpoint text, monitoring_captured_at timestamptz, outdated_at timestamptz, audit_at timestamptz,
  audit_user text, arn text, artifact_url text, hub_artifact_url text, account_id text, account_alias text,
  attributes jsonb, risks jsonb)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT r.id, coalesce(u.number, 0), v.id, g.id, u.number, u.name::text, u.stage::text, g.name::text, v.number,
         {_OWNER}, {_LINE}, p.key::text, r.stage::text, r.status::text, v.risk_rating::text, r.validation_metrics,
         r.monitoring_metrics, r.monitoring_endpoint::text, r.monitoring_captured_at, r.outdated_at, r.audit_at,
         r.audit_user::text, v.arn::text, v.artifact_url::text, v.hub_artifact_url::text, a.account_id::text,
         a.alias::text, {attributes},
         (SELECT jsonb_agg(jsonb_build_array(w.number, w.risk_class) ORDER BY w.number)
            FROM governance_history_versionusecase k JOIN governance_history_usecase w ON w.id = k.use_case_id
           WHERE k.version_id = v.id AND k.valid_from <= moment AND k.valid_to > moment
             AND w.valid_from <= moment AND w.valid_to > moment)
    FROM governance_history_stagerecord r
    JOIN governance_history_modelversion v ON v.id = r.version_id AND v.valid_from <= moment AND v.valid_to > moment
    {_GROUP_OF_VERSION}
    LEFT JOIN governance_history_awsaccount a
           ON a.id = r.account_id AND a.valid_from <= moment AND a.valid_to > moment
    LEFT JOIN (governance_history_versionusecase l
          JOIN governance_history_usecase u ON u.id = l.use_case_id)
           ON l.version_id = v.id AND l.valid_from <= moment AND l.valid_to > moment
          AND u.valid_from <= moment AND u.valid_to > moment
   WHERE r.valid_from <= moment AND r.valid_to > moment
$$;
"""


# As the live table writes them: the card's word first, then the group's owner by the name people read.
_OWNER = """coalesce(nullif(v.owner_name, ''), nullif(o.display_name, ''),
                  nullif(btrim(o.first_name || ' ' || o.last_name), ''), o.username)::text"""
_LINE = "coalesce(nullif(v.line_of_business, ''), b.name)::text"
_GROUP_OF_VERSION = """JOIN governance_history_modelgroup g
           ON g.id = v.group_id AND g.valid_from <= moment AND g.valid_to > moment
    LEFT JOIN governance_history_user o ON o.id = g.owner_id AND o.valid_from <= moment AND o.valid_to > moment
    LEFT JOIN governance_history_project p
           ON p.id = g.project_id AND p.valid_from <= moment AND p.valid_to > moment
    LEFT JOIN governance_history_lineofbusiness b
           ON b.id = p.line_of_business_id AND b.valid_from <= moment AND b.valid_to > moment"""

VERSIONS_AS_OF = f"""
CREATE FUNCTION governance_versions_as_of(moment timestamptz) RETURNS TABLE (
  id bigint, arn text, group_id bigint, "group" text, number integer, project text, owner text, line_of_business text,
  stage text, status text, risk text, artifact_url text, hub_artifact_url text, use_cases integer[])
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT v.id, v.arn::text, g.id, g.name::text, v.number, p.key::text, {_OWNER}, {_LINE}, v.stage::text,
         v.status::text, v.risk_rating::text, v.artifact_url::text, v.hub_artifact_url::text,
         ARRAY(SELECT u.number
                 FROM governance_history_versionusecase l JOIN governance_history_usecase u ON u.id = l.use_case_id
                WHERE l.version_id = v.id AND l.valid_from <= moment AND l.valid_to > moment
                  AND u.valid_from <= moment AND u.valid_to > moment ORDER BY u.number)
    FROM governance_history_modelversion v
    {_GROUP_OF_VERSION}
   WHERE v.valid_from <= moment AND v.valid_to > moment
$$;
"""

USE_CASES_AS_OF = """
CREATE FUNCTION governance_use_cases_as_of(moment timestamptz) RETURNS TABLE (
  id bigint, number integer, name text, stage text, status text, risk_class text, project text, line_of_business text,
  attributes jsonb)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT u.id, u.number, u.name::text, u.stage::text, u.status::text, u.risk_class::text, p.key::text, b.name::text,
         coalesce(u.attributes, '{}')
    FROM governance_history_usecase u
    LEFT JOIN governance_history_project p
           ON p.id = u.project_id AND p.valid_from <= moment AND p.valid_to > moment
    LEFT JOIN governance_history_lineofbusiness b
           ON b.id = p.line_of_business_id AND b.valid_from <= moment AND b.valid_to > moment
   WHERE u.valid_from <= moment AND u.valid_to > moment
$$;
"""


def record_attributes() -> str:
    """Return the SQL that has the history, and the table as of a moment, keep the custom attributes of records."""
    return RECORD.also("attributes", "jsonb NOT NULL DEFAULT '{}'") + stage_table_as_of("r.attributes")
