-- Entries of site $1 that are no longer what an interim checkpoint has of them, and checkpoints that do not
-- fit together; with $2 only of days that are not sealed.
-- columns of audit_finding: subject text, problem text
WITH chosen AS (
    SELECT i.*, lag(i.number) OVER (ORDER BY i.number) AS before FROM interim i
     WHERE i.site_id = $1::bigint AND NOT ($2::boolean AND i.end_id <= coalesce((
               SELECT d.end_id FROM day_seal d WHERE d.site_id = $1::bigint ORDER BY d.end_id DESC LIMIT 1),
               '00000000-0000-0000-0000-000000000000'))
), item AS (
    SELECT t.number, encode(substr(t.entries, 24 * n + 1, 16), 'hex')::uuid AS payment_id,
           substr(t.entries, 24 * n + 17, 8) AS digest
      FROM chosen i JOIN interim_tile t ON t.site_id = i.site_id AND t.number = i.number
     CROSS JOIN generate_series(0, octet_length(t.entries) / 24 - 1) AS n
), finding AS (
    SELECT 'entry ' || m.payment_id AS subject,
           CASE WHEN c.payment_id IS NULL THEN 'was removed' ELSE 'was changed' END
               || ' after interim checkpoint ' || m.number || ' had it' AS problem
      FROM item m LEFT JOIN charge c ON c.payment_id = m.payment_id AND c.site_id = $1::bigint
     WHERE (c.payment_id IS NULL
            OR substr(sha256(convert_to(jsonb_strip_nulls(to_jsonb(c))::text, 'UTF8')), 1, 8) <> m.digest)
       AND NOT EXISTS (SELECT FROM archived v
                        WHERE v.utc_date = (uuid_instant(m.payment_id) AT TIME ZONE 'UTC')::date)
    UNION ALL
    SELECT 'entry ' || c.payment_id,
           'was added after interim checkpoint ' || i.number || ', which is over its time'
      FROM chosen i JOIN charge c ON c.site_id = i.site_id AND c.payment_id >= i.first_id
       AND c.payment_id < i.end_id
     WHERE NOT EXISTS (SELECT FROM item m WHERE m.payment_id = c.payment_id)
    UNION ALL
    SELECT 'interim checkpoint ' || i.number,
           CASE WHEN i.number <> coalesce(i.before + 1, i.number) THEN 'the one before it was removed'
                ELSE 'its list of entries is not what was signed' END
      FROM chosen i
     WHERE i.number <> coalesce(i.before + 1, i.number)
        OR i.digest <> sha256(coalesce((
               SELECT string_agg(sha256(t.entries), ''::bytea ORDER BY t.tile) FROM interim_tile t
                WHERE t.site_id = i.site_id AND t.number = i.number), ''::bytea))
)
SELECT subject, problem FROM finding ORDER BY subject LIMIT 1000
