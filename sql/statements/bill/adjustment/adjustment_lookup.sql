-- What was taken back of a charge, in order, and the credit note or invoice that says so, if one does yet.
-- columns: adjustment_id uuid, kind text, amount_micros bigint, reason text, actor text,
--   recorded_ms bigint, number text null
SELECT a.adjustment_id, a.kind, a.amount_micros, a.reason, a.actor, instant_ms(a.recorded_at) AS recorded_ms,
       coalesce(note.number, billed.number) AS number
  FROM adjustment a
  LEFT JOIN crawler_day_line l ON l.adjustment_id = a.adjustment_id
  LEFT JOIN invoice note ON note.site_id = l.site_id AND note.local_date = l.local_date
   AND note.crawler_id = l.crawler_id AND note.corrects = l.corrects
  LEFT JOIN LATERAL (
      SELECT i.number FROM invoice i
       WHERE l.corrects IS NULL AND i.site_id = l.site_id AND i.crawler_id = l.crawler_id
         AND i.local_date >= l.local_date AND i.kind = 'invoice'
         AND i.replaces IS NULL
       ORDER BY i.local_date LIMIT 1) AS billed ON true
 WHERE a.payment_id = $1::uuid ORDER BY a.adjustment_id
