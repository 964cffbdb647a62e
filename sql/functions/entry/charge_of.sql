CREATE OR REPLACE FUNCTION charge_of(of_payment uuid) RETURNS SETOF charge
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 AS $$
    SELECT * FROM charge WHERE payment_id = of_payment
$$;
COMMENT ON FUNCTION charge_of IS 'The entry with an id, if there is one: what joins entries with other tables
does it by this and charge_range. In one database it is read as the table itself; in a cluster
(crawltab migrate --citus) it has another text, since these tables are on one server only.';
