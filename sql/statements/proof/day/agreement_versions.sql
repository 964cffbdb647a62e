-- Version numbers of the agreements of site $1, in the order of their identities.
-- columns: agreement_id bigint, version integer
SELECT agreement_id, version FROM agreement WHERE site_id = $1::bigint ORDER BY agreement_id
