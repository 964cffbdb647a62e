-- What key directories said when keys from them were relied on.

CREATE TABLE directory_snapshot (
    url text NOT NULL CHECK (url <> '' AND octet_length(url) <= 2048),
    body_digest bytea NOT NULL,
    fetched_at timestamptz NOT NULL,
    body bytea NOT NULL,
    content_type text NOT NULL,
    content_digest text NOT NULL,
    signature_input text NOT NULL,
    signature text NOT NULL,
    PRIMARY KEY (url, body_digest),
    CHECK (body_digest = sha256(body))
);
COMMENT ON TABLE directory_snapshot IS 'Every body of a key directory that a charge ever relied on, once per
URL, stored before that charge. With the fields of its response signature where it had one.';
COMMENT ON COLUMN directory_snapshot.body IS 'Byte for byte as it came, without content encoding.';
COMMENT ON COLUMN directory_snapshot.signature IS 'Signature, Signature-Input and Content-Digest of the
answer, lines joined by ", "; empty where there were none.';

CREATE TABLE crawler_key_source (
    crawler_id bigint NOT NULL,
    thumbprint bytea NOT NULL,
    url text NOT NULL,
    body_digest bytea NOT NULL,
    first_relied_at timestamptz NOT NULL,
    PRIMARY KEY (crawler_id, thumbprint, url, body_digest),
    FOREIGN KEY (crawler_id, thumbprint) REFERENCES crawler_key,
    FOREIGN KEY (url, body_digest) REFERENCES directory_snapshot
);
COMMENT ON TABLE crawler_key_source IS 'In which bodies a key was found, and since when charges rely on each:
a charge''s is the newest that is not younger than the charge. A row per key and body, none per charge.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['directory_snapshot', 'crawler_key_source']) AS name;

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON directory_snapshot, crawler_key_source TO %I', gate);
    EXECUTE format('GRANT SELECT ON directory_snapshot, crawler_key_source TO %I', night);
END
$$;
