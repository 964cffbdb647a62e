CREATE OR REPLACE VIEW archived AS
SELECT * FROM (SELECT DISTINCT ON (utc_date) * FROM archive ORDER BY utc_date, archive_id DESC) AS newest
 WHERE event = 'archived';
COMMENT ON VIEW archived IS 'Days whose entries are in a file now.';
