-- Every function and every table says what it is for.

COMMENT ON FUNCTION agreement_text IS 'The terms in a sentence or two, as invoices print them. NULL: those
of a crawler without an agreement.';
COMMENT ON FUNCTION archive_restore_begin IS 'Makes the table for the entries of an archived day. It is not
part of the ledger yet.';
COMMENT ON FUNCTION archive_restore_rows IS 'Adds entries to the table of archive_restore_begin, each a JSON
object as the archive''s file has it.';
COMMENT ON FUNCTION charge_partition IS 'Name of the partition with the entries of a UTC day.';
COMMENT ON FUNCTION charge_partition_attach IS 'Makes the table that has this name a partition, with the
triggers that every partition has.';
COMMENT ON FUNCTION charge_partition_attached IS 'Whether the ledger has a partition for a UTC day. A day
that is archived has none.';
COMMENT ON FUNCTION instant_ms IS 'An instant in milliseconds since 1970, rounded down.';
COMMENT ON FUNCTION instant_text IS 'An instant in UTC, as RFC 3339 writes it, to the millisecond.';
COMMENT ON FUNCTION rate_text IS 'Millionths in per cent, without zeros at the end: 190000 is "19 %".';
COMMENT ON FUNCTION refuse_change IS 'Trigger of every table (make_append_only): what is there stays as it
is, whoever asks (promise P3).';
COMMENT ON FUNCTION refuse_miscount IS 'Trigger of conflict_count: attempts are counted one by one, and
nothing else of a row changes.';
COMMENT ON FUNCTION refuse_sealed IS 'Trigger of each partition (guard_seals): refuses an entry of a day
that its site has sealed.';
COMMENT ON FUNCTION refuse_sealed_adjustment IS 'Trigger of adjustment: refuses one of a day that its site
has sealed.';
COMMENT ON FUNCTION refuse_step_back IS 'Trigger of number_series: no number is given twice.';
COMMENT ON FUNCTION tax_note IS 'What an invoice has to say about its tax; empty if nothing.';

COMMENT ON TABLE invoice_line IS 'The lines of an invoice, numbered as they are printed. Their amounts come
to its subtotal.';
COMMENT ON TABLE invoice_event IS 'What happened to an invoice, in steps: issued, sent, void. Money that
came in is in invoice_payment.';
COMMENT ON TABLE outbox_attempt IS 'Every attempt to deliver a message, also those that failed.';

COMMENT ON COLUMN checkpoint.leaf IS 'The log''s entry, in the form that leaf.h describes: it holds the
day''s instants, count, sum and root.';
