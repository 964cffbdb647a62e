CREATE OR REPLACE FUNCTION billing_day(of_site bigint, of_date date)
    RETURNS TABLE (starts_at timestamptz, ends_at timestamptz, first_id uuid, end_id uuid,
                   close_number bigint, next_date date, minor bigint)
    LANGUAGE sql STABLE AS $$
    SELECT d.starts_at, d.ends_at, uuid_floor(d.starts_at), uuid_floor(d.ends_at),
           coalesce((SELECT c.close_number FROM day_close c
                      WHERE c.site_id = d.site_id AND c.local_date = d.local_date), 9223372036854775807),
           coalesce((SELECT n.local_date FROM day n
                      WHERE n.site_id = d.site_id AND n.local_date > d.local_date
                      ORDER BY n.local_date LIMIT 1), d.local_date + 1),
           minor_micros(s.currency_decimals)
      FROM day d JOIN site s USING (site_id) WHERE d.site_id = of_site AND d.local_date = of_date
$$;
COMMENT ON FUNCTION billing_day IS 'The bounds of a local day. close_number: its own, or that of a day that is
being closed, which comes after all others. next_date: what period a day ends depends on the next one, since
zones skip dates.';
