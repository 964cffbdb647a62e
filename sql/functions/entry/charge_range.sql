CREATE OR REPLACE FUNCTION charge_range(from_id uuid, to_id uuid) RETURNS SETOF charge
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT * FROM charge WHERE payment_id >= from_id AND payment_id < to_id
$$;
COMMENT ON FUNCTION charge_range IS 'The entries with ids from one to before another, as charge_of.';
