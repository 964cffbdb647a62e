CREATE OR REPLACE FUNCTION charge_partition_attached(of_date date) RETURNS boolean
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, public, pg_temp
    RETURN EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'public.charge'::regclass
                      AND inhrelid = to_regclass('public.' || public.charge_partition(of_date)));
COMMENT ON FUNCTION charge_partition_attached IS 'Whether the ledger has a partition for a UTC day. A day
that is archived has none.';
