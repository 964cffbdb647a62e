CREATE OR REPLACE FUNCTION shard_guards() RETURNS TABLE (subject text, problem text)
    LANGUAGE sql STABLE AS $$
    SELECT NULL::text, NULL::text WHERE false
$$;
COMMENT ON FUNCTION shard_guards IS 'Where entries are on other servers (crawltab migrate --citus), what is
not guarded there as it is here. Nothing, where they are in this database.';
