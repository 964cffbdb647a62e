-- What guards an entry is on its shard. What it is on this server, other statements have looked at: triggers,
-- what they do, constraints and rights are there the same.
CREATE OR REPLACE FUNCTION shard_guards() RETURNS TABLE (subject text, problem text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    asked text := $q$
        SELECT concat_ws(E'\n',
            (SELECT string_agg(concat_ws(' ', regexp_replace(t.tgname, '_\d+$', ''), t.tgenabled, t.tgtype,
                                         p.proname, md5(p.prosrc)), E'\n' ORDER BY t.tgname)
               FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
              WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
            (SELECT string_agg(pg_get_constraintdef(n.oid), E'\n' ORDER BY pg_get_constraintdef(n.oid))
               FROM pg_constraint n WHERE n.conrelid = c.oid),
            (SELECT string_agg(a::text, E'\n' ORDER BY a::text) FROM unnest(c.relacl) AS a))
          FROM pg_class c WHERE c.oid = %L::regclass $q$;
    part regclass;
    here text;
BEGIN
    FOR part IN SELECT 'charge'::regclass UNION ALL
                SELECT inhrelid FROM pg_inherits WHERE inhparent = 'charge'::regclass LOOP
        EXECUTE format(asked, part::text) INTO here;
        RETURN QUERY
        SELECT 'shard ' || s.shardid || ' of table ' || part,
               CASE WHEN s.success THEN 'its triggers, constraints or rights are not those of its table'
                    ELSE 'cannot be looked at: ' || s.result END
          FROM run_command_on_shards(part, replace(asked, '%L', '''%s''')) s
         WHERE NOT s.success OR s.result IS DISTINCT FROM here;
    END LOOP;
END
$$;
