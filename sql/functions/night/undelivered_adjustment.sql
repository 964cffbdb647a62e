CREATE OR REPLACE FUNCTION undelivered_adjustment(of_site bigint, of_payment uuid) RETURNS uuid
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, public, pg_temp AS $$
    -- The last millisecond of the payment's day, and bits of its digest in the places where version and
    -- variant leave room.
    SELECT (left(hex, 8) || '-' || substr(hex, 9, 4) || '-7' || substr(digest, 1, 3) || '-8'
            || substr(digest, 4, 3) || '-' || substr(digest, 7, 12))::uuid
      FROM day d
     CROSS JOIN LATERAL (SELECT lpad(to_hex(instant_ms(d.ends_at) - 1), 12, '0') AS hex,
                                encode(sha256(uuid_send(of_payment)), 'hex') AS digest) AS part
     WHERE d.site_id = of_site AND d.starts_at <= uuid_instant(of_payment)
       AND d.ends_at > uuid_instant(of_payment)
$$;
COMMENT ON FUNCTION undelivered_adjustment IS 'The id of the adjustment that takes back what was paid for an
undelivered page: in the payment''s own day, and the same however often the close is begun.';
