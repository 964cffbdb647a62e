-- Piece $2 of the evidence of dispute $1; 0 is what came with its opening.
-- columns: content bytea
SELECT d.evidence AS content FROM dispute d
 WHERE d.dispute_id = $1::uuid AND $2::integer = 0 AND d.evidence IS NOT NULL
UNION ALL
SELECT p.content FROM dispute_piece p WHERE p.dispute_id = $1::uuid AND p.position = $2::integer
