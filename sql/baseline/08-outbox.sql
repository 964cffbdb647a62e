-- How the publisher's own systems hear of invoices.

CREATE TABLE outbox (
    message_id text PRIMARY KEY CHECK (message_id ~ '^[A-Za-z0-9_-]{1,64}$'),
    site_id bigint NOT NULL REFERENCES site,
    type text NOT NULL CHECK (type <> ''),
    body text NOT NULL,
    made_at timestamptz NOT NULL
);
COMMENT ON TABLE outbox IS 'Messages to the publisher''s own systems (Standard Webhooks). The id is made from
what the message tells, so that telling it twice makes one message.';

CREATE TABLE outbox_attempt (
    message_id text NOT NULL REFERENCES outbox,
    attempt integer NOT NULL CHECK (attempt > 0),
    happened_at timestamptz NOT NULL,
    status integer NOT NULL CHECK (status BETWEEN 0 AND 999),
    detail text NOT NULL,
    PRIMARY KEY (message_id, attempt)
);
COMMENT ON TABLE outbox_attempt IS 'Every attempt to deliver a message, also those that failed.';
COMMENT ON COLUMN outbox_attempt.status IS 'Of HTTP: 200 to 299 means delivered; 0, that there was none.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['outbox', 'outbox_attempt']) AS name;
