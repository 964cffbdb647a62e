-- Entries of site $1 that are no longer what an interim checkpoint has of them, facts whose note is another
-- one, and checkpoints that do not fit together; with $2 only of days that are not sealed. The lists of a
-- checkpoint leave with the entries of its day; those of entries come back with them.
-- columns of audit_finding: subject text, problem text
WITH chosen AS (
    SELECT i.*, lag(i.number) OVER (ORDER BY i.number) AS before,
           (uuid_instant(i.first_id) AT TIME ZONE 'UTC')::date AS first_date,
           ((uuid_instant(i.end_id) - interval '1 millisecond') AT TIME ZONE 'UTC')::date AS last_date
      FROM interim i
     WHERE i.site_id = $1::bigint AND NOT ($2::boolean AND i.end_id <= coalesce((
               SELECT d.end_id FROM day_seal d WHERE d.site_id = $1::bigint ORDER BY d.end_id DESC LIMIT 1),
               '00000000-0000-0000-0000-000000000000'))
), point AS (
    SELECT c.*,
           EXISTS (SELECT FROM archived v WHERE v.utc_date BETWEEN c.first_date AND c.last_date)
               AND NOT EXISTS (SELECT FROM interim_tile t WHERE t.site_id = c.site_id AND t.number = c.number
                                  AND t.first_id = c.first_id) AS tiles_left,
           EXISTS (SELECT FROM archive v WHERE v.utc_date BETWEEN c.first_date AND c.last_date)
               AND NOT EXISTS (SELECT FROM interim_fact f WHERE f.site_id = c.site_id AND f.number = c.number
                                  AND f.first_id = c.first_id) AS facts_left
      FROM chosen c
), item AS (
    SELECT t.number, encode(substr(t.entries, 24 * n + 1, 16), 'hex')::uuid AS payment_id,
           substr(t.entries, 24 * n + 17, 8) AS digest
      FROM point i
      JOIN interim_tile t ON t.site_id = i.site_id AND t.number = i.number AND t.first_id = i.first_id
     CROSS JOIN generate_series(0, octet_length(t.entries) / 24 - 1) AS n
), listed AS (
    SELECT f.number, f.source, f.key, f.digest
      FROM point i
      JOIN interim_fact f ON f.site_id = i.site_id AND f.number = i.number AND f.first_id = i.first_id
), finding AS (
    SELECT 'entry ' || m.payment_id AS subject,
           CASE WHEN c.payment_id IS NULL THEN 'was removed' ELSE 'was changed' END
               || ' after interim checkpoint ' || m.number || ' had it' AS problem
      FROM item m LEFT JOIN LATERAL charge_of(m.payment_id) c ON c.site_id = $1::bigint
     WHERE (c.payment_id IS NULL
            OR substr(sha256(convert_to(jsonb_strip_nulls(to_jsonb(c))::text, 'UTF8')), 1, 8) <> m.digest)
       AND NOT EXISTS (SELECT FROM archived v
                        WHERE v.utc_date = (uuid_instant(m.payment_id) AT TIME ZONE 'UTC')::date)
    UNION ALL
    SELECT 'entry ' || c.payment_id,
           'was added after interim checkpoint ' || i.number || ', which is over its time'
      FROM point i JOIN LATERAL charge_range(i.first_id, i.end_id) c ON c.site_id = i.site_id
     WHERE NOT i.tiles_left AND NOT EXISTS (SELECT FROM item m WHERE m.payment_id = c.payment_id)
    UNION ALL
    SELECT l.source || ' ' || l.key,
           CASE WHEN f.key IS NULL THEN 'was removed with its note, which interim checkpoint ' || l.number
                                        || ' has'
                ELSE 'was changed with its note: interim checkpoint ' || l.number || ' has another' END
      FROM listed l LEFT JOIN fact f USING (source, key)
     WHERE f.digest IS DISTINCT FROM l.digest
    UNION ALL
    SELECT 'interim checkpoint ' || l.number, 'was removed: its lists are there'
      FROM (SELECT t.number FROM interim_tile t WHERE t.site_id = $1::bigint
            UNION SELECT f.number FROM interim_fact f WHERE f.site_id = $1::bigint) AS l
     WHERE NOT EXISTS (SELECT FROM interim i WHERE i.site_id = $1::bigint AND i.number = l.number)
    UNION ALL
    SELECT 'interim checkpoint ' || i.number, p.problem
      FROM point i CROSS JOIN LATERAL (VALUES
               (i.number <> coalesce(i.before + 1, i.number), 'the one before it was removed'),
               (NOT i.tiles_left AND i.digest <> sha256(coalesce((
                    SELECT string_agg(sha256(t.entries), ''::bytea ORDER BY t.tile) FROM interim_tile t
                     WHERE t.site_id = i.site_id AND t.number = i.number AND t.first_id = i.first_id),
                    ''::bytea)), 'its list of entries is not what was signed'),
               (NOT i.facts_left AND i.facts_digest <> sha256(coalesce((
                    SELECT string_agg(f.digest, ''::bytea ORDER BY f.source COLLATE "C", f.key COLLATE "C")
                      FROM interim_fact f
                     WHERE f.site_id = i.site_id AND f.number = i.number AND f.first_id = i.first_id),
                    ''::bytea)), 'its list of facts is not what was signed')) AS p (wrong, problem)
     WHERE p.wrong
)
SELECT subject, problem FROM finding ORDER BY subject LIMIT 1000
