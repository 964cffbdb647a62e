-- Reports of gates' clocks that are of a time to come. No day is closed any more by those of before.
-- columns of audit_finding: subject text, problem text
SELECT 'gate_clock ' || coalesce(instant_text(nullif(g.reported_at, 'infinity')), 'infinity') || ' '
           || g.writer_id AS subject,
       'says that it was made when it is not yet' AS problem
  FROM gate_clock g WHERE g.reported_at > clock_timestamp() ORDER BY 1 LIMIT 20
