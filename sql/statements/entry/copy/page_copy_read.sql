-- Which of payments $1 by crawlers $2 were repeats, by their places in the arrays, and whether they still
-- would be: for copies $3. In that order.
-- columns: place bigint, same boolean
SELECT e.place, p.copy = e.copy AS same
  FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) WITH ORDINALITY
       AS e (payment_id, crawler_id, copy, place)
  JOIN LATERAL page_copy_of(e.payment_id) p ON p.crawler_id = e.crawler_id
 WHERE p.repeats IS NOT NULL
 ORDER BY e.place
