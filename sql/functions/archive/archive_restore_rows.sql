CREATE OR REPLACE FUNCTION archive_restore_rows(of_date date, lines text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF public.charge_partition_attached(of_date) THEN
        RAISE EXCEPTION 'the entries of % (UTC) are in the ledger', of_date
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('INSERT INTO public.%1$I SELECT entry.* FROM unnest($1) AS line,'
                   ' jsonb_populate_record(NULL::public.%1$I, line::jsonb) AS entry',
                   public.charge_partition(of_date)) USING lines;
    EXECUTE format('INSERT INTO public.%1$I SELECT delivery.* FROM unnest($1) AS line,'
                   ' jsonb_populate_recordset(NULL::public.%1$I, line::jsonb -> ''deliveries'') AS delivery',
                   public.day_partition('delivery', of_date)) USING lines;
END
$$;
COMMENT ON FUNCTION archive_restore_rows IS 'Adds entries to the table of archive_restore_begin, each a JSON
object as the archive''s file has it, with what was recorded of their delivery.';
