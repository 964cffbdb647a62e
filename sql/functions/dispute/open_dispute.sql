CREATE OR REPLACE FUNCTION open_dispute(of_dispute uuid, of_site bigint, of_crawler bigint, of_reason text,
                                        of_statement text, payments uuid[], numbers text[], lines integer[],
                                        request bytea, request_base bytea, request_signature bytea,
                                        request_key bytea, of_window integer, of_answer integer)
    RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    opening dispute;
BEGIN
    IF request_base IS NULL OR request_signature IS NULL OR request_key IS NULL THEN
        RAISE EXCEPTION 'a crawler''s dispute needs the request that it has signed'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF abs(extract(epoch FROM clock_timestamp() - uuid_instant(of_dispute))) > 3600 THEN
        RAISE EXCEPTION 'a dispute is opened now, not at %', uuid_instant(of_dispute)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Is the clock of the gate right?';
    END IF;
    SELECT of_dispute, of_site, c.crawler_id, 'crawler', of_reason, of_statement, request,
           CASE WHEN request IS NOT NULL THEN 'request' END, request_base, request_signature, request_key,
           uuid_instant(of_dispute), uuid_instant(of_dispute), c.agent
      INTO opening FROM crawler c WHERE c.crawler_id = of_crawler;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no crawler number %', of_crawler USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN dispute_add(opening, payments, numbers, lines, of_window, of_answer);
END
$$;
COMMENT ON FUNCTION open_dispute IS 'Opens a dispute for a crawler, with the request that it signed as
evidence; answers as dispute_add does. With the owner''s rights: the gate itself may not write these tables,
and has no way to decide a dispute.';
