-- The console: who may come in, and what was written through it, so that it is not written twice.
-- Gates since 46 go on.

CREATE TABLE console_token (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    role text NOT NULL CHECK (role IN ('owner', 'finance', 'auditor', 'reader')),
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    made_at timestamptz NOT NULL,
    expires_at timestamptz,
    actor text NOT NULL
);
COMMENT ON TABLE console_token IS 'Keys with which people and programs use the operator''s console.';
COMMENT ON COLUMN console_token.role IS 'What it opens; server/console/role.c has the table.';
COMMENT ON COLUMN console_token.digest IS 'SHA-256 of the key, of 256 bits of chance: nobody can guess it.';
COMMENT ON COLUMN console_token.expires_at IS 'From then on it opens nothing. NULL: until it is revoked.';

CREATE TABLE console_token_revocation (
    name text PRIMARY KEY REFERENCES console_token,
    revoked_at timestamptz NOT NULL,
    actor text NOT NULL
);
COMMENT ON TABLE console_token_revocation IS 'Keys of the console that open nothing any more, for ever.';

CREATE TABLE console_token_use (
    name text NOT NULL,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (name, used_at)
);
COMMENT ON TABLE console_token_use IS 'When a key of the console was used: the first time within an hour.';

CREATE TABLE console_write (
    name text NOT NULL,
    key text NOT NULL,
    step integer NOT NULL,
    happened_at timestamptz NOT NULL,
    request bytea NOT NULL,
    status integer NOT NULL,
    answer text NOT NULL,
    PRIMARY KEY (name, key, step)
);
COMMENT ON TABLE console_write IS 'What was asked of the console with an Idempotency-Key, before it was done
(step 1) and with the answer to it (step 2).';
COMMENT ON COLUMN console_write.request IS 'SHA-256 of method, path and body: the same key for another request
is a mistake.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['console_token', 'console_token_revocation', 'console_token_use',
                    'console_write']) AS name;

-- Lists of invoices and disputes go by date, page after page, however many there are.
CREATE INDEX invoice_newest ON invoice (local_date, site_id, number);

DO $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON console_token, console_token_revocation, console_token_use,'
                   ' console_write TO %I', current_setting('crawltab.operator_role'));
END
$$;
