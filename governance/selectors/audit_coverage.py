"""Whether the database still guards what it governs: every table in the trail, every guard in force."""

from __future__ import annotations

from django.db import connection

# Tables of the governed apps that the audit trigger does not watch, and why.
EXEMPT = {
    "governance_auditevent": "the trail itself: append-only",
    "governance_idempotentanswer": "an answer kept for a day, to be given again; what it tells of is in the trail",
    "governance_occasion": "what people are told of; what happened is in the trail already",
    "governance_notification": "what one person was told, in words; read and removed after a while",
    "governance_notificationdelivery": "an e-mail or a chat message on its way; it governs nothing",
    "governance_webhookevent": "a change that webhooks are to be told of; the change itself is in the trail already",
    "governance_webhookdelivery": "an event on its way to a webhook; it governs nothing, and is removed after a while",
    "governance_webhookattempt": "what came of sending one event; it governs nothing",
    "registry_endpointseries": (
        "numbers CloudWatch counted by the hour, read again every hour: each entry of the trail would hold ninety days"
        " of them, CloudWatch has them as well, and no decision rests on them"
    ),
    "registry_monitoringexecution": (
        "a series as AWS counts it, one row an hour and schedule, removed after thirteen months; what it measured is"
        " reported at the stage, which is audited"
    ),
    "registry_monitoringconstraints": (
        "a copy of a file in S3, read again at will; the version's pointer to it is audited"
    ),
    "registry_publicnumber": "a counter; every number given out is on the audited row that took it",
    "registry_pipelinestep": (
        "what AWS said of a step, up to a thousand in a run and written again while it runs; the run is in the trail,"
        " and so is every report that counts as evidence"
    ),
    "registry_syncrun": "the portal's own running; it governs nothing",
    "registry_usecasedraft": (
        "what one person has typed so far, shown to nobody else and saved while he types: a copy of every keystroke for"
        " all who read the trail would be a breach, and nothing rests on it; what is registered from it is audited"
    ),
    "auth_permission": "Django's vocabulary of permissions, written by migrations",
}
# What triggers derive from audited tables, and refuse to have written by anybody else.
DERIVED = "governance_history_"

# Bits of pg_trigger.tgtype: 1 for each row, 4 insert, 8 delete, 16 update, 32 truncate. "A" is ENABLE ALWAYS.
_TABLES = """
SELECT c.relname,
       coalesce(bool_or(f.proname = 'governance_audit_row' AND t.tgtype & 29 = 29 AND t.tgenabled = 'A'), false),
       coalesce(bool_or(f.proname ~ '_refuse_|_guard$' AND t.tgtype & 32 = 32 AND t.tgenabled = 'A'), false),
       coalesce(bool_or(f.proname ~ '_refuse_change$|_history_guard$' AND t.tgtype & 24 = 24 AND t.tgenabled = 'A'),
                false)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
  LEFT JOIN pg_proc f ON f.oid = t.tgfoid
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname ~ '^(registry|governance|auth)_'
 GROUP BY c.relname ORDER BY c.relname
"""
_TRIGGERS = """
SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc f ON f.oid = t.tgfoid
 WHERE n.nspname = 'public' AND NOT t.tgisinternal AND f.proname LIKE 'governance\\_%' AND t.tgenabled <> 'A'
 ORDER BY 1, 2
"""
_FUNCTIONS = """
SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = 'public' AND p.prorettype = 'trigger'::regtype AND p.proname LIKE 'governance\\_%'
   AND NOT coalesce(p.proconfig, '{}') && ARRAY['search_path=public, pg_temp']
 ORDER BY 1
"""


def audited_tables() -> list[str]:
    """Return the tables that are in the trail, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT c.relname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                 JOIN pg_proc f ON f.oid = t.tgfoid WHERE f.proname = 'governance_audit_row' ORDER BY 1"""
        )
        return [name for (name,) in cursor.fetchall()]


def gaps() -> list[str]:
    """Return what is not guarded, one sentence each; nothing in a database that is as its migrations left it."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        for table, is_audited, refuses_truncate, refuses_change in cursor.fetchall():
            is_derived = table.startswith(DERIVED)
            if not is_audited and table not in EXEMPT and not is_derived:
                found.append(f"The table {table} is not in the audit trail.")
            if not refuses_truncate and (table not in EXEMPT or table == "governance_auditevent"):
                found.append(f"The table {table} can be emptied by TRUNCATE.")
            if not refuses_change and (table == "governance_auditevent" or is_derived):
                found.append(f"The rows of {table} can be changed.")
        cursor.execute(_TRIGGERS)
        found += [f"The trigger {name} of {table} is not in force for every session." for table, name in cursor]
        cursor.execute(_FUNCTIONS)
        found += [f"The trigger function {name} has no fixed search path." for (name,) in cursor]
    return found
