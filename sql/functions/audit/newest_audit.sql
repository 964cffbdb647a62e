CREATE OR REPLACE FUNCTION newest_audit() RETURNS TABLE (happened_at timestamptz, findings bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT o.happened_at, coalesce(substring(o.detail FROM ': ([0-9]{1,18}) findings?;')::bigint, 0)
      FROM operator_action o
     WHERE o.action = 'audit' AND o.detail NOT LIKE '%: a night was at work%'
     ORDER BY o.action_id DESC LIMIT 1
$$;
COMMENT ON FUNCTION newest_audit IS 'When the ledger was audited last, not kept from any of it by a night, and
how much was found. With the owner''s rights: other deeds of operators are not the gate''s affair.';
