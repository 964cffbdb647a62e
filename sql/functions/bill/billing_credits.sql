CREATE OR REPLACE FUNCTION billing_credits(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, corrects text, subtotal_micros bigint, net_micros bigint,
                   left_minor bigint)
    LANGUAGE sql STABLE AS $$
    SELECT o.crawler_id, o.number, o.taken, o.taken_net - o.taken_net % o.minor, o.left_micros / o.minor
      FROM (SELECT i.crawler_id, i.number, w.taken, b.minor, r.left_micros,
                   least(CASE WHEN NOT billing_reversed(of_site, i.number, of_date) THEN w.taken END,
                         r.left_micros) AS taken_net
              FROM billing_day(of_site, of_date) b
              CROSS JOIN (SELECT l.corrects, -sum(l.amount_micros)::bigint AS taken FROM crawler_day_line l
                           WHERE l.site_id = of_site AND l.local_date = of_date AND l.corrects IS NOT NULL
                             AND l.kind <> 'reissue'
                           GROUP BY l.corrects) AS w
              JOIN invoice i ON i.site_id = of_site AND i.number = w.corrects
              CROSS JOIN LATERAL (SELECT i.net_micros - coalesce(sum(n.net_micros), 0)::bigint AS left_micros
                  FROM invoice n WHERE n.site_id = of_site AND n.corrects = i.number
                   AND n.local_date < of_date) AS r) AS o
$$;
COMMENT ON FUNCTION billing_credits IS 'The credit notes of a day, from its lines: to which invoice, what is
taken back, and how much of it in whole minor units; the rest is carried. The last one of an invoice takes all
that is left of it. left_minor: what was left of the
invoice''s net amount before.';
