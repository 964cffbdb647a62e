// Entries that come by SQL and not through a gate, where a test needs many, or odd ones.

// Entries of all kinds: long and empty fields, bytes that are no text, an agreement.
export function fill(ledger, date, count, time = '06:00Z') {
    ledger.own(
        `INSERT INTO crawler (agent, first_seen_at)
         SELECT 'https://crawler-' || n || '.example/ünï', instant(0) FROM generate_series(1, 5) n
         ON CONFLICT DO NOTHING;
         INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource,
                             recorded_at, thumbprint, signature, signature_base, agreement_id)
         SELECT id, get_byte(uuid_send(id), 15), 1,
                (SELECT crawler_id FROM crawler ORDER BY 1 OFFSET n % 5 LIMIT 1), n * 1009,
                'rule ' || n % 3,
                'https://shop.example/' || repeat('ß', CASE n % 50 WHEN 0 THEN n * 37 ELSE n % 9 END),
                uuid_instant(id),
                sha256(n::text::bytea), sha512(n::text::bytea) || decode(repeat('00ff', n % 7), 'hex'),
                CASE WHEN n % 2 = 0 THEN sha512(n::text::bytea) ELSE convert_to(repeat('é', n), 'UTF8') END,
                CASE WHEN n % 4 = 0 THEN (SELECT max(agreement_id) FROM agreement) END
           FROM (SELECT n, (left(uuid_floor(timestamptz '${date} ${time}' + n * interval '1 ms')::text, 15)
                        || '7' || substr(gen_random_uuid()::text, 17))::uuid AS id
                   FROM generate_series(1, ${count}) n) AS made`
    )
}
