-- Amounts as text: every digit of them. lpad cuts a text that is longer than asked for, so that an amount of
-- one unit or more lost its last digits.

CREATE OR REPLACE FUNCTION minor_text(minor bigint, decimals smallint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT CASE WHEN minor < 0 THEN '-' ELSE '' END || left(p.digits, length(p.digits) - decimals)
                       || CASE WHEN decimals > 0 THEN '.' || right(p.digits, decimals) ELSE '' END
              FROM (SELECT lpad(n.digits, greatest(length(n.digits), decimals + 1), '0')
                      FROM ltrim(minor::text, '-') AS n (digits)) AS p (digits));
COMMENT ON FUNCTION minor_text IS 'An amount in units of which so many decimals make one of the currency. All
amounts that SQL writes are written here; amount_format_minor writes the same.';

CREATE OR REPLACE FUNCTION micros_text(micros bigint) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(minor_text(micros, 6::smallint), '0{1,4}$', '');
COMMENT ON FUNCTION micros_text IS 'An amount in micro-units, with two to six decimals.';
