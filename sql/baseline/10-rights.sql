-- Who may do what beside the owner, who owns all of it. Nobody may update or delete, but for
-- number_series.last_number.

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON site, day, crawler, crawler_key, directory_snapshot,'
                   ' crawler_key_source, charge, spend TO %I', gate);
    EXECUTE format('GRANT SELECT ON schema_version, site_zone, conflict, agreement, agreement_price,'
                   ' agreement_tier, day_seal, day_close, day_tile, checkpoint, crawler_day, invoice,'
                   ' invoice_event, invoice_payment, invoice_state TO %I', gate);
    EXECUTE format('GRANT EXECUTE ON FUNCTION charge_partitions, note_conflicts TO %I', gate);

    EXECUTE format('GRANT SELECT, INSERT ON operator_action, site_zone, day, number_series, crawler,'
                   ' agreement, agreement_price, agreement_tier, day_close, day_tile, checkpoint,'
                   ' crawler_day, crawler_day_line, invoice, invoice_line, invoice_event, adjustment,'
                   ' seller_logo, invoice_payment, settlement_batch, settlement, outbox,'
                   ' outbox_attempt TO %I', night);
    EXECUTE format('GRANT UPDATE (last_number) ON number_series TO %I', night);
    EXECUTE format('GRANT SELECT ON schema_version, site, crawler_key, directory_snapshot,'
                   ' crawler_key_source, charge, conflict, conflict_count, spend, day_seal, invoice_state,'
                   ' archive, archived TO %I', night);
    EXECUTE format('GRANT EXECUTE ON FUNCTION charge_partitions, seal_day TO %I', night);
END
$$;
