SELECT line, description, quantity, unit_price_micros, amount_micros
  FROM invoice_line WHERE site_id = $1::bigint AND number = $2::text ORDER BY line
