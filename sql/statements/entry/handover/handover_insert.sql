-- Takes the ids $1, sorted, of requests to sites $2 that change something. Those that come back were free:
-- they may be handed to the sites' own servers now. The others were before, or may have been.
-- columns: payment_id uuid
INSERT INTO handover (payment_id, site_id)
SELECT payment_id, site_id FROM unnest($1::uuid[], $2::bigint[]) AS e (payment_id, site_id)
ON CONFLICT DO NOTHING
RETURNING payment_id
