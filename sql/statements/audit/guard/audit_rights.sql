-- Who may do what: the roles of the gate ($1) and of the operator ($2) add to their own tables and read, the
-- owner ($3) has all of it, and anybody else, such as the auditor ($4), may read at the most.
-- columns of audit_finding: subject text, problem text
WITH ledger AS (
    SELECT c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relispartition FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
), own (role) AS (
    SELECT rolname::text FROM pg_roles WHERE rolname IN ($1::text, $2::text, $4::text)
), adds (role, relname) AS (
    SELECT $1::text, unnest(ARRAY['site', 'day', 'crawler', 'crawler_key', 'crawler_key_source',
        'directory_snapshot', 'charge', 'spend', 'gate_clock', 'offer_terms', 'handover',
        'traffic', 'page_copy', 'payment_identifier', 'delivery'])
    UNION ALL
    SELECT $2::text, unnest(ARRAY['operator_action', 'site_zone', 'site_terms', 'day', 'number_series',
        'crawler', 'agreement', 'agreement_price', 'agreement_tier', 'day_close', 'day_tile',
        'checkpoint', 'day_fact', 'day_delivery', 'delivery_tile',
        'checkpoint_key_change', 'cosignature', 'crawler_day', 'crawler_day_line', 'unproven', 'invoice',
        'invoice_line', 'invoice_event', 'adjustment', 'seller_logo', 'invoice_payment', 'applied_credit',
        'interim', 'interim_tile', 'interim_fact', 'settlement_batch', 'settlement', 'outbox',
        'outbox_attempt', 'dispute',
        'dispute_subject', 'dispute_finding', 'dispute_event', 'dispute_piece', 'token', 'token_revocation',
        'console_token', 'console_token_revocation', 'console_token_use', 'console_write'])
), calls (role, proname) AS (
    VALUES ($1::text, 'charge_partitions'), ($1, 'note_conflicts'), ($1, 'note_undelivered'),
           ($1, 'accrue_days'), ($1, 'count_paths'), ($1, 'keep_traffic'), ($1, 'open_dispute'),
           ($1, 'mark_sandbox'), ($1, 'newest_audit'),
           ($2::text, 'charge_partitions'), ($2, 'note_undelivered'), ($2, 'seal_day'), ($2, 'mark_sandbox')
), granted AS (
    SELECT 'table ' || l.relname AS subject, g.grantee, g.privilege_type AS privilege
      FROM ledger l CROSS JOIN aclexplode(l.relacl) g
    UNION ALL
    SELECT 'table ' || l.relname || ', column ' || a.attname, g.grantee, g.privilege_type
      FROM ledger l JOIN pg_attribute a ON a.attrelid = l.oid CROSS JOIN aclexplode(a.attacl) g
    UNION ALL
    SELECT 'function ' || p.proname, g.grantee, g.privilege_type
      FROM pg_proc p CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
     WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
    UNION ALL
    SELECT 'schema public', g.grantee, g.privilege_type
      FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) g
     WHERE n.nspname = 'public' AND g.privilege_type = 'CREATE'
    UNION ALL
    SELECT 'whatever role ' || pg_get_userbyid(d.defaclrole) || ' makes later', g.grantee, g.privilege_type
      FROM pg_default_acl d CROSS JOIN aclexplode(d.defaclacl) g
     WHERE g.grantee <> d.defaclrole
), finding (subject, problem) AS (
    SELECT 'role ' || r.rolname,
           'is a superuser, makes roles, or may replicate or step around row security: ALTER ROLE takes that'
           ' away'
      FROM pg_roles r WHERE r.rolname IN ($1::text, $2::text, $4::text)
       AND (r.rolsuper OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls)
    UNION ALL
    SELECT 'role ' || role, 'may act as role "' || r.rolname || '": revoke that'
      FROM own JOIN pg_roles r ON r.rolname <> role AND pg_has_role(role, r.oid, 'MEMBER')
     WHERE (r.rolsuper OR r.rolname IN ($3::text, 'pg_write_all_data', 'pg_execute_server_program',
                                        'pg_write_server_files', $1::text, $2::text))
       AND NOT EXISTS (SELECT FROM pg_roles s WHERE s.rolname = role AND s.rolsuper)
    UNION ALL
    SELECT 'table ' || l.relname, 'role "' || role || '" may ' || string_agg(change, ', ' ORDER BY change)
           || ': revoke that'
      FROM ledger l CROSS JOIN own
     CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS change
     WHERE has_table_privilege(role, l.oid, change)
     GROUP BY l.relname, role
    UNION ALL
    SELECT 'table ' || l.relname, 'role "' || role || '" may INSERT: revoke that'
      FROM ledger l CROSS JOIN own
     WHERE has_any_column_privilege(role, l.oid, 'INSERT')
       AND NOT EXISTS (SELECT FROM adds a WHERE a.role = own.role AND a.relname = l.relname)
    UNION ALL
    SELECT 'table ' || l.relname || ', column ' || a.attname, 'role "' || role || '" may UPDATE: revoke that'
      FROM ledger l JOIN pg_attribute a ON a.attrelid = l.oid AND a.attnum > 0 AND NOT a.attisdropped
     CROSS JOIN own
     WHERE has_column_privilege(role, l.oid, a.attnum, 'UPDATE')
       AND NOT has_table_privilege(role, l.oid, 'UPDATE')
       AND (l.relname, a.attname, role) <> ('number_series', 'last_number', $2::text)
    UNION ALL
    SELECT g.subject, CASE g.grantee WHEN 0 THEN 'everybody'
                      ELSE 'role "' || pg_get_userbyid(g.grantee) || '"' END
                      || ' may ' || g.privilege || ': revoke that'
      FROM granted g
     WHERE g.subject LIKE 'whatever %'
        OR pg_get_userbyid(g.grantee) NOT IN ($1::text, $2::text, $3::text, 'pg_database_owner')
       AND (g.privilege <> 'SELECT' OR g.grantee = 0)
    UNION ALL
    SELECT 'function ' || p.proname, 'role "' || role || '" may EXECUTE: revoke that'
      FROM pg_proc p CROSS JOIN own
     WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
       AND has_function_privilege(role, p.oid, 'EXECUTE')
       AND NOT EXISTS (SELECT FROM calls c WHERE c.role = own.role AND c.proname = p.proname)
    UNION ALL
    SELECT 'table ' || l.relname, 'belongs to role "' || pg_get_userbyid(l.relowner) || '": ALTER TABLE '
                                  || l.relname || ' OWNER TO ' || $3::text
      FROM ledger l WHERE l.relkind IN ('r', 'p') AND pg_get_userbyid(l.relowner) <> $3::text
)
SELECT subject, problem FROM finding LIMIT 100
