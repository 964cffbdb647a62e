-- Whether evidence of digest $2 can be put to dispute $1: its site, whether it is open, how many pieces it
-- has, and which of them is this one (0: none).
-- columns: site_id bigint, open boolean, pieces integer, known integer
SELECT d.site_id, t.open,
       (SELECT count(*)::integer FROM dispute_piece p WHERE p.dispute_id = d.dispute_id) AS pieces,
       coalesce((SELECT p.position FROM dispute_piece p
                  WHERE p.dispute_id = d.dispute_id AND p.digest = $2::bytea), 0) AS known
  FROM dispute d JOIN dispute_state t USING (dispute_id) WHERE d.dispute_id = $1::uuid
