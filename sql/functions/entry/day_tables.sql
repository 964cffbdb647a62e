CREATE OR REPLACE FUNCTION day_tables() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['delivery', 'delivery_tile', 'handover', 'interim_fact', 'interim_tile', 'page_copy',
                 'payment_identifier'];
COMMENT ON FUNCTION day_tables IS 'Tables beside charge that are parted by the UTC days of payment ids, too:
what a day has in them goes when its entries go.';
