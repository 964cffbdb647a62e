CREATE OR REPLACE FUNCTION billing_reissues(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, replaces text, taken_micros bigint, net_micros bigint)
    LANGUAGE sql STABLE AS $$
    SELECT r.crawler_id, r.number, r.taken_micros, r.due_micros - r.due_micros % r.minor
      FROM (SELECT i.crawler_id, i.number, b.minor, t.taken_micros,
                   i.net_micros - n.noted_micros - t.with_void_micros AS due_micros
              FROM billing_day(of_site, of_date) b
              JOIN crawler_day_line l ON l.site_id = of_site AND l.local_date = of_date AND l.kind = 'reissue'
              JOIN invoice i ON i.site_id = of_site AND i.number = l.corrects
              JOIN crawler_day_line v ON v.site_id = of_site AND v.corrects = i.number AND v.kind = 'void'
             CROSS JOIN LATERAL (
                  SELECT coalesce(-sum(w.amount_micros), 0)::bigint AS taken_micros,
                         coalesce(-sum(w.amount_micros) FILTER (WHERE w.local_date = v.local_date), 0)::bigint
                             AS with_void_micros
                    FROM crawler_day_line w WHERE w.site_id = of_site AND w.corrects = i.number
                     AND w.kind NOT IN ('void', 'reissue')) AS t
             CROSS JOIN LATERAL (
                  SELECT coalesce(sum(c.net_micros), 0)::bigint AS noted_micros
                    FROM invoice c WHERE c.site_id = of_site AND c.corrects = i.number
                     AND c.local_date < v.local_date) AS n) AS r
$$;
COMMENT ON FUNCTION billing_reissues IS 'The invoices that a day makes in place of void ones, from its lines:
over what the void left to credit, less what was taken back with it. taken_micros: what was taken back by
credit notes, and is left out. What went on other invoices stays there.';
