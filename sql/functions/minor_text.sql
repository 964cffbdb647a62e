CREATE OR REPLACE FUNCTION minor_text(minor bigint, decimals smallint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN minor < 0 THEN '-' ELSE '' END || CASE decimals WHEN 0 THEN abs(minor)::text
        ELSE left(lpad(abs(minor)::text, greatest(decimals + 1, length(abs(minor)::text)), '0'), -decimals)
             || '.' || right(lpad(abs(minor)::text, decimals, '0'), decimals) END;
