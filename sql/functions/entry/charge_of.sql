CREATE OR REPLACE FUNCTION charge_of(of_payment uuid) RETURNS SETOF charge
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM charge WHERE payment_id = of_payment;
END
$$;
COMMENT ON FUNCTION charge_of IS 'The entry with an id, if there is one: what joins entries with other tables
does it by this and charge_range. It is planned with the id at hand, and so for one day''s table; a join of
many ids, or of one that the statement reads first, would be planned for the tables of all days. In a cluster
(crawltab migrate --citus) it has another text, since these tables are on one server only.';
