CREATE OR REPLACE FUNCTION count_tokens() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO number_series AS n (site_id, series, last_number)
    SELECT site_id, 'token', count(*) FROM made GROUP BY site_id ORDER BY site_id
    ON CONFLICT (site_id, series) DO UPDATE SET last_number = n.last_number + excluded.last_number;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION count_tokens IS 'Trigger of token and token_revocation: counts what was changed.';
