SELECT utc_date, entries, sum_micros, encode(file_digest, 'hex'), file, instant_ms(happened_at), actor
  FROM archived ORDER BY utc_date
