-- Pays invoices of site $1 that are open with what the same crawler has paid too much for others, or was
-- taken back after it had paid: the oldest of either first. Not those that are void or in a batch, whose
-- money is under way, but for invoice $2 if it is not NULL: then that one alone. $3 is the clock, $4 who
-- does it. Both lie on a line, from 0 to the sum of all of a crawler's; each pays what it covers.
-- columns: number text, from_number text, amount_minor bigint
WITH state AS (
    SELECT i.crawler_id, i.number, i.local_date, i.sequence, s.open_minor, s.status
      FROM invoice i JOIN invoice_state s USING (site_id, number)
     WHERE i.site_id = $1::bigint AND i.kind = 'invoice' AND s.open_minor <> 0
), credit AS (
    SELECT crawler_id, number, -open_minor AS minor,
           sum(-open_minor) OVER (PARTITION BY crawler_id ORDER BY local_date, sequence) AS upto
      FROM state WHERE open_minor < 0
), debt AS (
    SELECT crawler_id, number, open_minor AS minor,
           sum(open_minor) OVER (PARTITION BY crawler_id ORDER BY local_date, sequence) AS upto
      FROM state
     WHERE open_minor > 0 AND status <> 'void'
       AND CASE WHEN $2::text IS NULL
                THEN NOT EXISTS (SELECT FROM settlement t
                                  WHERE t.site_id = $1::bigint AND t.number = state.number)
                ELSE number = $2::text END
), made AS (
    INSERT INTO applied_credit (site_id, number, from_number, step, amount_minor, applied_at, actor)
    SELECT $1::bigint, d.number, c.number,
           1 + (SELECT count(*) FROM applied_credit a
                 WHERE a.site_id = $1::bigint AND a.number = d.number AND a.from_number = c.number),
           least(c.upto, d.upto) - greatest(c.upto - c.minor, d.upto - d.minor), instant($3::bigint), $4::text
      FROM credit c JOIN debt d USING (crawler_id)
     WHERE least(c.upto, d.upto) > greatest(c.upto - c.minor, d.upto - d.minor)
    RETURNING number, from_number, amount_minor
)
SELECT number, from_number, amount_minor FROM made ORDER BY number, from_number
