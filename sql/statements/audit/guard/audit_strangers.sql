-- What changes how statements run, or carries rows away, and is no part of the ledger. What $1 names may be
-- there: those whose subjects are not the ledger's own tables, roles and sessions.
-- columns of audit_finding: subject text, problem text
WITH ledger AS (
    SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relrowsecurity FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
), stranger (subject, problem) AS (
    SELECT CASE l.relkind WHEN 'm' THEN 'materialized view ' ELSE 'foreign table ' END || l.relname,
           'is none of the ledger''s: drop it'
      FROM ledger l WHERE l.relkind IN ('m', 'f')
    UNION ALL
    SELECT 'event trigger ' || e.evtname, 'is none of the ledger''s: drop it' FROM pg_event_trigger e
     WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass
                          AND d.objid = e.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'publication ' || p.pubname, 'carries rows away, and is none of the ledger''s: drop it'
      FROM pg_publication p
    UNION ALL
    SELECT 'subscription ' || s.subname, 'brings rows that no gate has made: drop it' FROM pg_subscription s
     WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL
    SELECT 'extension ' || e.extname, 'is none of the ledger''s: drop it' FROM pg_extension e
     WHERE e.extname NOT IN ('plpgsql', 'pg_stat_statements', 'citus', 'citus_columnar')
    UNION ALL
    -- Names are looked up in pg_catalog before the ledger's own. What the server has made has lower numbers.
    SELECT o.kind || ' ' || o.name, o.problem || ', and is not the server''s: drop it'
      FROM (SELECT p.tableoid, p.oid, 'function', 'pg_catalog.' || p.proname,
                   'is called before one of the ledger with its name'
              FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace
            UNION ALL
            SELECT o.tableoid, o.oid, 'operator', 'pg_catalog.' || o.oprname,
                   'changes what statements compare'
              FROM pg_operator o WHERE o.oprnamespace = 'pg_catalog'::regnamespace
            UNION ALL
            SELECT c.tableoid, c.oid, 'cast', '(' || format_type(c.castsource, NULL) || ' AS '
                   || format_type(c.casttarget, NULL) || ')', 'changes what statements compare'
              FROM pg_cast c) AS o (catalog, oid, kind, name, problem)
     WHERE o.oid >= 16384
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.catalog AND d.objid = o.oid
                          AND d.deptype = 'e')
)
SELECT subject, problem || ', or name it in ledger.audit_allows if it is there on purpose' AS problem
  FROM stranger WHERE subject <> ALL ($1::text[])
UNION ALL
SELECT 'table ' || l.relname, 'it has a rule "' || r.rulename || '": drop it'
  FROM ledger l JOIN pg_rewrite r ON r.ev_class = l.oid WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'table ' || l.relname, 'row security hides rows of it, or might: drop its policies, and disable it'
  FROM ledger l
 WHERE l.relrowsecurity OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = l.oid)
UNION ALL
SELECT 'table ' || l.relname, 'it is unlogged, and empty after a crash: ALTER TABLE ' || l.relname
                              || ' SET LOGGED'
  FROM ledger l WHERE l.relpersistence = 'u'
UNION ALL
SELECT 'table ' || l.relname, 'rows of table ' || h.inhrelid::regclass || ' count as its own: ALTER TABLE '
                              || h.inhrelid::regclass || ' NO INHERIT ' || l.relname || ', or detach it'
  FROM ledger l JOIN pg_inherits h ON h.inhparent = l.oid JOIN pg_class c ON c.oid = h.inhrelid
 WHERE l.relkind = 'r' OR c.relnamespace <> 'public'::regnamespace
UNION ALL
-- By when a version came, checks know from where on there is something to be checked. Clocks may have been
-- set meanwhile, but not by more than an hour.
SELECT 'schema_version ' || v.version, 'came after version ' || v.next || ', or after rows that it notes:'
                                       || ' somebody has changed when'
  FROM (SELECT version, applied_at, lead(version) OVER (ORDER BY version) AS next,
               lead(applied_at) OVER (ORDER BY version) AS next_at
          FROM schema_version) AS v
 WHERE v.applied_at > v.next_at + interval '1 hour'
    OR v.version = 31 AND v.applied_at > (SELECT min(f.made_at) + interval '1 hour' FROM fact f)
UNION ALL
SELECT 'schema_version ' || v.version, 'follows version ' || v.before
  FROM (SELECT version, lag(version, 1, 0) OVER (ORDER BY version) AS before FROM schema_version) AS v
 WHERE v.version <> v.before + 1
UNION ALL
SELECT coalesce('role ' || r.rolname, 'database ' || d.datname, 'the server'),
       'sessions begin with ' || setting || ', by which references are not checked: reset it'
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
  LEFT JOIN pg_database d ON d.oid = s.setdatabase
 CROSS JOIN unnest(s.setconfig) AS setting
 WHERE setting LIKE 'session\_replication\_role=%' AND setting <> 'session_replication_role=origin'
   AND (s.setdatabase = 0 OR d.datname = current_database())
UNION ALL
SELECT 'the server', 'sessions begin with session_replication_role=' || s.reset_val
                     || ', by which references are not checked: ALTER SYSTEM RESET it'
  FROM pg_settings s WHERE s.name = 'session_replication_role' AND s.reset_val <> 'origin'
 LIMIT 100
