-- As a query of its own, which goes to the one shard that the id can be in: joined with a table of this
-- server alone, all shards would be read.
CREATE OR REPLACE FUNCTION charge_of(of_payment uuid) RETURNS SETOF charge
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 AS $$
DECLARE
    of_lane smallint := get_byte(uuid_send(of_payment), 15);
BEGIN
    RETURN QUERY SELECT * FROM charge WHERE payment_id = of_payment AND lane = of_lane;
END
$$;
