CREATE OR REPLACE FUNCTION charge_range(from_id uuid, to_id uuid) RETURNS SETOF charge
    LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN QUERY SELECT * FROM charge WHERE payment_id >= from_id AND payment_id < to_id;
END
$$;
