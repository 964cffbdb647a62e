-- The triggers that keep the ledger append-only, note facts, keep balances and guard seals: each is there,
-- fires always, in all sessions, and does what it was made for; and there are no others.
-- columns of audit_finding: subject text, problem text
WITH ledger AS (
    SELECT c.oid, c.relname FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
), part AS MATERIALIZED (
    SELECT c.oid, c.relname,
           regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(.*)''\) TO \(''(.*)''\)') AS bound
      FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'public.charge'::regclass
), wanted (relname, name, does, type) AS (
    -- The types are bits: 1 for each row, 2 before, 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
    SELECT l.relname, 'append_only', 'refuse_change', 58 FROM ledger l
     WHERE l.relname NOT IN ('number_series', 'conflict_count', 'traffic_day', 'traffic_month',
                             'traffic_path', 'traffic_stretch', 'traffic_total')
    UNION ALL
    SELECT p.relname, 'sealed', 'refuse_sealed', 5 FROM part p
    UNION ALL
    SELECT s.source, 'noted', 'note_facts', 4 FROM fact_sources() s
    UNION ALL
    VALUES ('number_series', 'append_only', 'refuse_change', 42),
           ('number_series', 'count_up', 'refuse_step_back', 19),
           ('conflict_count', 'append_only', 'refuse_change', 42),
           ('conflict_count', 'count_up', 'refuse_miscount', 19),
           ('traffic_day', 'append_only', 'refuse_change', 42),
           ('traffic_day', 'count_up', 'refuse_uncount', 19),
           ('traffic_month', 'append_only', 'refuse_change', 42),
           ('traffic_month', 'count_up', 'refuse_uncount', 19),
           ('traffic_path', 'append_only', 'refuse_change', 42),
           ('traffic_path', 'count_up', 'refuse_uncount', 19),
           ('traffic_stretch', 'append_only', 'refuse_change', 42),
           ('traffic_stretch', 'count_up', 'refuse_uncount', 19),
           ('traffic_total', 'append_only', 'refuse_change', 42),
           ('traffic_total', 'count_up', 'refuse_uncount', 19),
           ('adjustment', 'sealed', 'refuse_sealed_adjustment', 7),
           ('undelivered', 'sealed', 'refuse_sealed_undelivered', 7),
           ('delivery', 'sealed', 'refuse_sealed_delivery', 4),
           ('day', 'tiled', 'refuse_odd_day', 4),
           ('agreement', 'counted', 'count_agreements', 4),
           ('token', 'counted', 'count_tokens', 4),
           ('token_revocation', 'counted', 'count_tokens', 4),
           ('day_close', 'balance', 'balance_day_close', 4),
           ('crawler_day', 'balance', 'balance_crawler_day', 4),
           ('invoice', 'balance', 'balance_invoice', 4),
           ('invoice_payment', 'balance', 'balance_invoice_payment', 4)
), present AS (
    SELECT l.relname, t.tgname::text AS name, t.tgenabled, t.tgtype::int AS type, t.tgfoid,
           t.tgattr::text <> '' OR t.tgnargs > 0 AS narrowed,
           substring(pg_get_triggerdef(t.oid) FROM ' WHEN \((.*)\) EXECUTE FUNCTION ') AS condition
      FROM pg_trigger t JOIN ledger l ON l.oid = t.tgrelid WHERE NOT t.tgisinternal
), compared AS (
    SELECT relname,
           CASE WHEN w.name IS NULL
                THEN 'it has a trigger "' || name || '", which is none of the ledger''s: drop it'
                WHEN p.name IS NULL
                THEN 'its trigger "' || name || '" is missing: make it again from sql/ of this'
                     ' version, ENABLE ALWAYS'
                WHEN p.tgenabled <> 'A'
                THEN 'its trigger "' || name || '" does not fire always: ALTER TABLE ' || relname
                     || ' ENABLE ALWAYS TRIGGER ' || name
                WHEN p.type <> w.type OR p.narrowed
                     -- What "sealed" asks for is looked at below.
                     OR name <> 'sealed' AND p.condition IS DISTINCT FROM
                        CASE WHEN name = 'append_only'
                              AND relname IN ('traffic_day', 'traffic_month', 'traffic_path',
                                              'traffic_stretch', 'traffic_total')
                             THEN '(current_setting(''crawltab.forgets_traffic''::text, true) IS DISTINCT'
                                  ' FROM ''yes''::text)' END
                     OR p.tgfoid IS DISTINCT FROM to_regproc('public.' || w.does)
                THEN 'its trigger "' || name || '" is not the one that the ledger has made: make it again'
                     ' from sql/ of this version, ENABLE ALWAYS' END AS problem
      FROM wanted w FULL JOIN present p USING (relname, name)
)
SELECT 'table ' || relname AS subject, problem FROM compared WHERE problem IS NOT NULL
UNION ALL
SELECT 'table ' || l.relname, 'its references to other tables are not checked: ALTER TABLE '
                              || l.relname || ' ENABLE TRIGGER ALL, then ENABLE ALWAYS its own'
  FROM ledger l WHERE EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = l.oid AND t.tgisinternal
                                 AND t.tgenabled IN ('D', 'R'))
UNION ALL
-- The condition of a partition's trigger must know the newest seal, as far as that reaches into it.
SELECT 'table ' || p.relname, 'its trigger "sealed" lets entries of sealed days pass: ask who changed it, and'
                              ' make it again by guard_seals() as the owner'
  FROM part p JOIN pg_trigger t ON t.tgrelid = p.oid AND t.tgname = 'sealed'
 CROSS JOIN LATERAL substring(pg_get_triggerdef(t.oid)
                FROM ' AFTER INSERT .* FOR EACH ROW WHEN \(\(new.payment_id < ''([0-9a-f-]+)''::uuid\)\)'
                     ' EXECUTE FUNCTION refuse_sealed\(\)$') AS known
 CROSS JOIN (SELECT end_id FROM day_seal ORDER BY end_id DESC LIMIT 1) AS newest
 WHERE newest.end_id > bound[1]::uuid
   AND (known IS NULL OR known::uuid < least(newest.end_id, bound[2]::uuid))
 LIMIT 100
