-- Interim checkpoints of site $1 with numbers above $2, in their order. `known`: the same key has signed the
-- site's log, whose keys log_check follows.
-- columns: number bigint, first_id uuid, end_id uuid, entries bigint, sum_micros bigint, digest bytea,
--   made_ms bigint, note text, verifier_key text, known boolean, facts bigint null,
--   facts_digest bytea null
SELECT i.number, i.first_id, i.end_id, i.entries, i.sum_micros, i.digest, instant_ms(i.made_at) AS made_ms,
       i.note, i.verifier_key,
       EXISTS (SELECT FROM checkpoint k
                WHERE k.site_id = i.site_id AND k.verifier_key = i.verifier_key) AS known,
       i.facts, i.facts_digest
  FROM interim i WHERE i.site_id = $1::bigint AND i.number > $2::bigint ORDER BY i.number LIMIT 1000
