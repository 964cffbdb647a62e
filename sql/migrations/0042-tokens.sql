-- Keys of resource servers that bill through this ledger. What is kept of a key is its hash: whoever reads
-- the ledger cannot act as the server.

CREATE TABLE token (
    site_id bigint NOT NULL REFERENCES site,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    role text NOT NULL CHECK (role IN ('settle', 'verify')),
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    made_at timestamptz NOT NULL,
    expires_at timestamptz CHECK (expires_at > made_at),
    actor text NOT NULL CHECK (actor <> ''),
    PRIMARY KEY (site_id, name)
);
COMMENT ON TABLE token IS 'Bearer keys with which resource servers use the facilitator.';
COMMENT ON COLUMN token.role IS 'settle: all that the facilitator does. verify: what changes nothing.';
COMMENT ON COLUMN token.digest IS 'SHA-256 of the key: it has 256 bits of chance, so nobody can guess it.';
COMMENT ON COLUMN token.expires_at IS 'From then on it opens nothing. NULL: until it is revoked.';
SELECT make_append_only('token');

CREATE TABLE token_revocation (
    site_id bigint NOT NULL,
    name text NOT NULL,
    revoked_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    PRIMARY KEY (site_id, name),
    FOREIGN KEY (site_id, name) REFERENCES token
);
COMMENT ON TABLE token_revocation IS 'Keys that open nothing any more, for ever.';
SELECT make_append_only('token_revocation');

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

CREATE TRIGGER counted AFTER INSERT ON token REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION count_tokens();
ALTER TABLE token ENABLE ALWAYS TRIGGER counted;
CREATE TRIGGER counted AFTER INSERT ON token_revocation REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION count_tokens();
ALTER TABLE token_revocation ENABLE ALWAYS TRIGGER counted;
REVOKE ALL ON FUNCTION count_tokens FROM PUBLIC;

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT ON token, token_revocation TO %I, %I', gate, night);
    EXECUTE format('GRANT INSERT ON token, token_revocation TO %I', night);
END
$$;
