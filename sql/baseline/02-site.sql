-- Sites, their billing days and their numbers.

CREATE TABLE site (
    site_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name <> '') UNIQUE,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    currency_decimals smallint NOT NULL CHECK (currency_decimals BETWEEN 0 AND 4),
    time_zone text NOT NULL,
    network text NOT NULL,
    seller text NOT NULL,
    registered_at timestamptz NOT NULL
);
COMMENT ON TABLE site IS 'A publisher''s site, as its gate first registered it. Currency, zone and network
are what the entries were made under, so a gate whose configuration says otherwise does not start.';
COMMENT ON COLUMN site.currency_decimals IS 'ISO 4217 exponent: an invoice''s total is a whole number of
these.';

CREATE TABLE site_zone (
    site_id bigint NOT NULL REFERENCES site,
    version integer NOT NULL CHECK (version > 0),
    from_date date NOT NULL,
    time_zone text NOT NULL CHECK (timestamptz 'epoch' AT TIME ZONE time_zone IS NOT NULL),
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (site_id, version)
);
COMMENT ON TABLE site_zone IS 'Changes of a site''s time zone. A local date is of the highest version whose
from_date is not after it, or of site.time_zone. Days that were made keep their instants: a version counts
for days that are made after it was recorded.';

CREATE TABLE day (
    site_id bigint NOT NULL REFERENCES site,
    local_date date NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    time_zone text NOT NULL,
    PRIMARY KEY (site_id, local_date),
    UNIQUE (site_id, starts_at),
    UNIQUE (site_id, ends_at),
    CHECK (starts_at < ends_at)
);
COMMENT ON TABLE day IS 'Billing days: half open, made ahead of time, each starting where the one before
ends. The instants are stored, so that a later change of time zone rules moves no entry to another day.';

CREATE TABLE number_series (
    site_id bigint NOT NULL REFERENCES site,
    series text NOT NULL,
    last_number bigint NOT NULL DEFAULT 0 CHECK (last_number >= 0),
    PRIMARY KEY (site_id, series)
);
COMMENT ON TABLE number_series IS 'Counters without gaps: a number is taken in the transaction that uses it,
so that a rollback gives it back, as a sequence would not. Series "day" counts closed days; its row is the
lock that keeps two nightly jobs apart. Series "agreement" counts versions of agreements, by which gates see
that there is a new one. Series such as "INV-2026" number invoices.';

CREATE FUNCTION site_days(of_site bigint, first_date date, last_date date,
                                     first_starts_at timestamptz)
    RETURNS TABLE (local_date date, starts_at timestamptz, ends_at timestamptz, time_zone text)
    LANGUAGE sql STABLE AS $$
    SELECT tiled.local_date, tiled.starts_at, tiled.ends_at, tiled.time_zone
      FROM (SELECT planned.local_date, planned.time_zone, planned.ends_at,
                   coalesce(greatest(first_starts_at, max(planned.ends_at) OVER (ORDER BY planned.local_date
                                         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
                            planned.local_date::timestamp AT TIME ZONE planned.time_zone) AS starts_at
              FROM (SELECT at::date AS local_date, zone.time_zone,
                           (at + interval '1 day') AT TIME ZONE zone.time_zone AS ends_at
                      FROM site
                     CROSS JOIN generate_series(first_date::timestamp, last_date::timestamp,
                                                interval '1 day') AS at
                     CROSS JOIN LATERAL (SELECT coalesce((SELECT z.time_zone FROM site_zone z
                                             WHERE z.site_id = site.site_id AND z.from_date <= at
                                             ORDER BY z.version DESC LIMIT 1), site.time_zone)
                                        ) AS zone (time_zone)
                     WHERE site.site_id = of_site) AS planned) AS tiled
     WHERE tiled.starts_at < tiled.ends_at
$$;
COMMENT ON FUNCTION site_days IS 'The billing days of a range of local dates. Each ends at the midnight that
its zone gives it and starts where the one before it ends, the first at first_starts_at (NULL: its midnight):
so they tile whatever zones and their rules do. A date that a zone or a change of zone skips (Pacific/Apia
2011-12-30) has no length and is left out; the first day of a new zone is shorter or longer.';

SELECT make_append_only(name::regclass) FROM unnest(ARRAY['site', 'site_zone', 'day']) AS name;

CREATE TRIGGER count_up BEFORE UPDATE ON number_series FOR EACH ROW EXECUTE FUNCTION refuse_step_back();
ALTER TABLE number_series ENABLE ALWAYS TRIGGER count_up;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON number_series FOR EACH STATEMENT EXECUTE FUNCTION
    refuse_change();
ALTER TABLE number_series ENABLE ALWAYS TRIGGER append_only;
