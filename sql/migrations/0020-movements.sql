-- Movements of the bank's files have a name of their own, and money that came back is an event.

ALTER TABLE invoice_payment ADD COLUMN identity text CHECK (identity <> '');
COMMENT ON COLUMN invoice_payment.identity IS 'What names the movement in every file that has it: a digest of
its content and of its number among those of its statement that say the same. A bank''s reference may be no
name: "NONREF", or a number that starts anew with each statement. NULL: told by a person, or by a version that
knew only references.';
COMMENT ON TABLE invoice_payment IS 'Money received for an invoice, once per reference and once per movement.
Below zero: paid back, or a debit that bounced.';
CREATE UNIQUE INDEX invoice_payment_identity ON invoice_payment (site_id, number, identity);

ALTER TABLE invoice_event
    DROP CONSTRAINT invoice_event_event_check,
    ADD CONSTRAINT invoice_event_event_check
        CHECK (event IN ('issued', 'sent', 'paid', 'part-paid', 'overdue', 'void', 'returned'));
COMMENT ON COLUMN invoice_event.detail IS 'returned: the bank''s reason and the movement.';
