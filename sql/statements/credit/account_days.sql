-- The billing days of every site from a day before clock $1: those that payment ids of now can belong to.
-- columns: site text, starts_ms bigint, ends_ms bigint
SELECT s.name AS site, instant_ms(d.starts_at) AS starts_ms, instant_ms(d.ends_at) AS ends_ms
  FROM site s JOIN day d USING (site_id)
 WHERE d.ends_at > instant($1::bigint) - interval '1 day'
 ORDER BY s.site_id, d.starts_at
