INSERT INTO checkpoint_key_change (site_id, number, log_size, old_key, new_key, lost, changed_at, actor,
    reason, note)
SELECT $1::bigint, 1 + count(*), $2::bigint, $3::text, $4::text, $5::boolean, instant($6::bigint),
       $7::text || ' as ' || session_user, $8::text, $9::text
  FROM checkpoint_key_change WHERE site_id = $1::bigint
