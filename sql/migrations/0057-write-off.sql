-- An invoice that will not be paid is written off: it is owed as before, and the publisher counts on it no
-- more.
-- Gates since 46 go on.

ALTER TABLE invoice_event
    DROP CONSTRAINT invoice_event_event_check,
    ADD CONSTRAINT invoice_event_event_check
        CHECK (event IN ('issued', 'sent', 'paid', 'part-paid', 'overdue', 'void', 'returned',
                         'credit-applied', 'reissued', 'written-off'));

CREATE OR REPLACE VIEW invoice_state AS
SELECT i.site_id, i.number, e.at AS status_at,
       coalesce(p.paid_minor, 0) AS paid_minor, coalesce(c.credited_minor, 0) AS credited_minor,
       CASE i.kind WHEN 'invoice'
            THEN i.total_minor - coalesce(p.paid_minor, 0) - coalesce(c.credited_minor, 0) - a.applied_minor
            ELSE 0 END AS open_minor,
       CASE WHEN e.void THEN 'void'
            WHEN i.kind = 'credit-note' THEN CASE WHEN e.sent THEN 'sent' ELSE 'issued' END
            WHEN coalesce(c.credited_minor, 0) >= i.total_minor THEN 'credited'
            WHEN coalesce(p.paid_minor, 0) + coalesce(c.credited_minor, 0) + a.applied_minor >= i.total_minor
            THEN 'paid'
            WHEN e.written_off THEN 'written-off'
            WHEN p.paid_minor > 0 OR a.applied_minor > 0 THEN 'part-paid'
            WHEN e.sent THEN 'sent' ELSE 'issued' END AS status,
       a.applied_minor
  FROM invoice i
  JOIN LATERAL (SELECT max(happened_at) AS at, bool_or(event = 'void') AS void,
                       bool_or(event = 'sent') AS sent, bool_or(event = 'written-off') AS written_off
                  FROM invoice_event WHERE site_id = i.site_id AND number = i.number) AS e ON true
  LEFT JOIN LATERAL (SELECT sum(amount_minor)::bigint AS paid_minor FROM invoice_payment
                      WHERE site_id = i.site_id AND number = i.number) AS p ON true
  LEFT JOIN LATERAL (SELECT sum(total_minor)::bigint AS credited_minor FROM invoice
                      WHERE site_id = i.site_id AND corrects = i.number) AS c ON true
 CROSS JOIN LATERAL (SELECT (coalesce((SELECT sum(amount_minor) FROM applied_credit
                                        WHERE site_id = i.site_id AND number = i.number), 0)
                             - coalesce((SELECT sum(amount_minor) FROM applied_credit
                                          WHERE site_id = i.site_id AND from_number = i.number), 0))::bigint
                            AS applied_minor) AS a;
COMMENT ON VIEW invoice_state IS 'What events, payments, credit notes and other invoices'' credit have made
of an invoice. That an open one is overdue depends on the clock. What was written off is open all the same:
its buyer owes it, and money that comes pays it. applied_minor: what other invoices have
paid of it, less what it has paid of others.';
