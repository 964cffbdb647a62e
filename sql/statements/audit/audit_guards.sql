-- What keeps the ledger append-only: triggers that fire always, and roles ($1, $2) that may not change rows.
-- columns of audit_finding: subject text, problem text
WITH ledger AS (
    SELECT c.oid, c.relname FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
), part AS MATERIALIZED (
    SELECT c.oid, c.relname,
           regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(.*)''\) TO \(''(.*)''\)') AS bound
      FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'public.charge'::regclass
), guarded AS (
    SELECT l.relname, 'append_only' AS wanted, l.oid FROM ledger l
    UNION ALL
    SELECT l.relname, 'sealed', l.oid FROM ledger l
     WHERE l.relname IN ('adjustment', 'undelivered') OR l.oid IN (SELECT oid FROM part)
    UNION ALL
    SELECT l.relname, 'balance', l.oid FROM ledger l
     WHERE l.relname IN ('day_close', 'crawler_day', 'invoice', 'invoice_payment')
    UNION ALL
    SELECT l.relname, 'noted', l.oid FROM ledger l JOIN fact_sources() s ON s.source = l.relname
    UNION ALL
    SELECT l.relname, 'counted', l.oid FROM ledger l WHERE l.relname = 'agreement'
    UNION ALL
    SELECT l.relname, 'count_up', l.oid FROM ledger l
     WHERE l.relname IN ('number_series', 'conflict_count', 'traffic_day', 'traffic_total')
)
SELECT 'table ' || g.relname AS subject,
       'its trigger "' || g.wanted || '" is missing or does not fire always' AS problem
  FROM guarded g
 WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = g.oid AND t.tgname = g.wanted
                      AND t.tgenabled = 'A')
UNION ALL
SELECT 'table ' || l.relname, 'role "' || role || '" may ' || change
  FROM ledger l, unnest(ARRAY[$1::text, $2::text]) AS role, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE'])
       AS change
 WHERE has_table_privilege(role, l.oid, change)
UNION ALL
-- The condition of a partition's trigger must know the newest seal, as far as that reaches into it.
SELECT 'table ' || p.relname, 'its trigger "sealed" lets entries of sealed days pass'
  FROM part p JOIN pg_trigger t ON t.tgrelid = p.oid AND t.tgname = 'sealed'
 CROSS JOIN LATERAL substring(pg_get_triggerdef(t.oid)
                FROM ' AFTER INSERT .* FOR EACH ROW WHEN \(\(new.payment_id < ''([0-9a-f-]+)''::uuid\)\)'
                     ' EXECUTE FUNCTION refuse_sealed\(\)$') AS known
 CROSS JOIN (SELECT end_id FROM day_seal ORDER BY end_id DESC LIMIT 1) AS newest
 WHERE newest.end_id > bound[1]::uuid
   AND (known IS NULL OR known::uuid < least(newest.end_id, bound[2]::uuid))
UNION ALL
SELECT 'role ' || r.rolname, 'is a superuser, or may replicate or step around row security'
  FROM pg_roles r WHERE r.rolname IN ($1::text, $2::text)
   AND (r.rolsuper OR r.rolreplication OR r.rolbypassrls)
 LIMIT 20
