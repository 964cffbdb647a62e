-- Which of these ids are recorded.
SELECT payment_id FROM charge WHERE payment_id = ANY ($1::uuid[])
