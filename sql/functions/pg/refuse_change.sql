CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table "%" is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Corrections are new rows.';
END
$$;
COMMENT ON FUNCTION refuse_change IS 'Trigger of every table (make_append_only): what is there stays as it
is, whoever asks (promise P3).';
