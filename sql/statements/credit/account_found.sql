-- Which of these ids are recorded.
-- columns: payment_id uuid
SELECT payment_id FROM charge WHERE payment_id = ANY ($1::uuid[])
