CREATE OR REPLACE FUNCTION minor_text(minor bigint, decimals smallint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT CASE WHEN minor < 0 THEN '-' ELSE '' END || left(p.digits, length(p.digits) - decimals)
                       || CASE WHEN decimals > 0 THEN '.' || right(p.digits, decimals) ELSE '' END
              FROM (SELECT lpad(n.digits, greatest(length(n.digits), decimals + 1), '0')
                      FROM ltrim(minor::text, '-') AS n (digits)) AS p (digits));
COMMENT ON FUNCTION minor_text IS 'An amount in units of which so many decimals make one of the currency. All
amounts that SQL writes are written here; amount_format_minor writes the same.';
