CREATE OR REPLACE FUNCTION billable_range(from_id uuid, to_id uuid) RETURNS SETOF charge
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT c.* FROM charge_range(from_id, to_id) c
     WHERE NOT EXISTS (SELECT FROM unproven u WHERE u.payment_id = c.payment_id)
$$;
COMMENT ON FUNCTION billable_range IS 'Those of charge_range that are billed, or will be: all but those of
unproven.';
