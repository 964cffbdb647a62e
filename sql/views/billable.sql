CREATE OR REPLACE VIEW billable AS
SELECT c.payment_id, c.site_id, c.crawler_id, c.amount_micros, c.rule
  FROM charge c WHERE NOT EXISTS (SELECT FROM unproven u WHERE u.payment_id = c.payment_id);
COMMENT ON VIEW billable IS 'The entries that are billed, or will be: all but those of unproven.';
