-- What is known of key $2 of token $1: whether it was for the request with hash $3, and the answer, if
-- there is one yet.
-- columns: same boolean, answered boolean, status integer, answer text
SELECT b.request = $3::bytea AS same, e.name IS NOT NULL AS answered, coalesce(e.status, 0) AS status,
       coalesce(e.answer, '') AS answer
  FROM console_write b
  LEFT JOIN console_write e ON e.name = b.name AND e.key = b.key AND e.step = 2
 WHERE b.name = $1::text AND b.key = $2::text AND b.step = 1
