-- The billing days of every site from a day before clock $1: those that payment ids of now can belong to.
SELECT s.name, instant_ms(d.starts_at), instant_ms(d.ends_at)
  FROM site s JOIN day d USING (site_id)
 WHERE d.ends_at > instant($1::bigint) - interval '1 day'
 ORDER BY s.site_id, d.starts_at
