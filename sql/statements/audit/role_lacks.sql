-- What the gate's role $1 and the operator's $2 may not do, and have to; $3 is the owner's. Kept like the
-- grants in sql/migrations. What they may do beyond that is found by audit_rights.
-- columns: role text, problem text
WITH listed (role, privilege, names) AS (
    VALUES ($1::text, 'INSERT',
            'charge crawler crawler_key crawler_key_source day delivery directory_snapshot gate_clock'
            ' handover offer_terms page_copy payment_identifier site spend traffic'),
           ($1::text, 'SELECT',
            'account_balance adjustment agreement agreement_price agreement_tier applied_credit archived'
            ' charge checkpoint checkpoint_key_change conflict cosignature crawler crawler_day'
            ' crawler_day_line crawler_key crawler_key_source day day_accrual day_close day_delivery'
            ' day_fact day_seal'
            ' day_tile delivery delivery_tile directory_snapshot dispute dispute_event'
            ' dispute_finding dispute_state dispute_subject gate_clock handover invoice invoice_event'
            ' invoice_line invoice_payment invoice_state number_series offer_terms page_copy'
            ' payment_identifier sandbox schema_version seller_logo site site_terms site_zone spend token'
            ' token_revocation traffic undelivered unproven'),
           ($1::text, 'EXECUTE',
            'accrue_days charge_partitions count_paths keep_traffic mark_sandbox newest_audit'
            ' note_conflicts note_undelivered open_dispute'),
           ($2::text, 'INSERT',
            'adjustment agreement agreement_price agreement_tier applied_credit checkpoint'
            ' checkpoint_key_change console_token console_token_revocation console_token_use'
            ' console_write cosignature crawler crawler_day crawler_day_line day day_close day_delivery'
            ' day_fact day_tile delivery_tile dispute dispute_event dispute_finding dispute_piece'
            ' dispute_subject interim interim_fact interim_tile invoice invoice_event invoice_line'
            ' invoice_payment number_series operator_action outbox outbox_attempt seller_logo settlement'
            ' settlement_batch site_terms site_zone token token_revocation unproven'),
           ($2::text, 'UPDATE', 'number_series'),
           ($2::text, 'SELECT',
            'account_balance adjustment agreement agreement_price agreement_tier applied_credit archive'
            ' archived billable charge checkpoint checkpoint_key_change conflict conflict_count'
            ' console_token console_token_revocation console_token_use console_write cosignature'
            ' crawler crawler_accrual crawler_day crawler_day_line crawler_key crawler_key_source day'
            ' day_accrual'
            ' day_close day_delivery day_fact day_seal day_tile delivery delivery_tile directory_snapshot'
            ' dispute dispute_event dispute_finding dispute_piece dispute_state dispute_subject fact'
            ' gate_clock handover'
            ' interim interim_fact'
            ' interim_tile invoice invoice_event invoice_line invoice_payment invoice_state number_series'
            ' offer_terms'
            ' operator_action outbox outbox_attempt page_copy payment_identifier sandbox schema_version'
            ' seller_logo settlement'
            ' settlement_batch site site_terms site_zone spend token token_revocation'
            ' traffic traffic_counts traffic_day traffic_hour traffic_month'
            ' traffic_path traffic_stretch traffic_total undelivered unproven'),
           ($2::text, 'EXECUTE', 'charge_partitions mark_sandbox note_undelivered seal_day')
), wanted AS (
    SELECT role, privilege, unnest(string_to_array(names, ' ')) AS name FROM listed
), roles AS (
    SELECT oid, rolname, rolcanlogin FROM pg_roles WHERE rolname IN ($1::text, $2::text)
), finding AS (
    SELECT 1 AS rank, name AS role, 'is not there' AS problem
      FROM unnest(ARRAY[$1::text, $2::text, $3::text]) AS name
     WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
    UNION ALL
    SELECT 2, rolname, 'may not log in' FROM roles WHERE NOT rolcanlogin
    UNION ALL
    SELECT 3, w.role, 'may not ' || w.privilege || ' on ' || w.name
      FROM wanted w JOIN roles r ON r.rolname = w.role
     WHERE NOT CASE w.privilege
               WHEN 'EXECUTE' THEN has_function_privilege(r.oid, to_regproc('public.' || w.name),
                                                          'EXECUTE')
               WHEN 'UPDATE' THEN has_any_column_privilege(r.oid, to_regclass('public.' || w.name), 'UPDATE')
               ELSE has_table_privilege(r.oid, to_regclass('public.' || w.name), w.privilege) END
)
SELECT role, problem FROM finding ORDER BY rank, role, problem
