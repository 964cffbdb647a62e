-- What rows must be, from the list below: each constraint, unique index, default and NOT NULL of the ledger's
-- tables, as PostgreSQL says them. A line begins with the table and the name; it goes on with four spaces.
-- Who adds one to the schema adds it here: an audit of a new ledger tells what is missing, word for word.
-- columns of audit_finding: subject text, problem text
WITH wanted AS (
    SELECT m[1] AS relname, m[2] AS name, m[3] AS definition
      FROM regexp_matches(regexp_replace($list$
account_balance account_balance_crawler_id_fkey FOREIGN KEY (crawler_id) REFERENCES crawler(crawler_id)
account_balance account_balance_pkey PRIMARY KEY (site_id, step, crawler_id)
account_balance account_balance_step_check CHECK ((step > 0))
account_balance columns NOT NULL counted_to, crawler_id, owed_micros, site_id, step
adjustment adjustment_actor_check CHECK ((actor <> ''::text))
adjustment adjustment_amount_micros_check CHECK ((amount_micros > 0))
adjustment adjustment_check CHECK (((num_nonnulls(payment_id, number) = 1) AND ((kind = ANY
    (ARRAY['void'::text, 'reissue'::text])) = (number IS NOT NULL))))
adjustment adjustment_crawler_id_fkey FOREIGN KEY (crawler_id) REFERENCES crawler(crawler_id)
adjustment adjustment_kind_check CHECK ((kind = ANY (ARRAY['reversal'::text, 'refund'::text,
    'credit'::text, 'void'::text, 'reissue'::text])))
adjustment adjustment_pkey PRIMARY KEY (adjustment_id)
adjustment adjustment_reason_check CHECK ((reason <> ''::text))
adjustment adjustment_site_id_number_fkey FOREIGN KEY (site_id, number) REFERENCES invoice(site_id, number)
adjustment columns NOT NULL actor, adjustment_id, amount_micros, crawler_id, kind, reason, recorded_at,
    site_id
agreement agreement_actor_check CHECK ((actor <> ''::text))
agreement agreement_balance_limit_micros_check CHECK ((balance_limit_micros >= 0))
agreement agreement_buyer_check CHECK ((jsonb_typeof(buyer) = 'object'::text))
agreement agreement_cadence_check CHECK ((cadence = ANY (ARRAY['daily'::text, 'weekly'::text,
    'monthly'::text])))
agreement agreement_check CHECK (((tax_treatment = 'standard'::text) OR (tax_rate_ppm = 0)))
agreement agreement_crawler_id_fkey FOREIGN KEY (crawler_id) REFERENCES crawler(crawler_id)
agreement agreement_day_limit_micros_check CHECK ((day_limit_micros >= 0))
agreement agreement_dispute_answer_days_check CHECK (((dispute_answer_days >= 1) AND (dispute_answer_days <=
    366)))
agreement agreement_dispute_limit_micros_check CHECK ((dispute_limit_micros >= 0))
agreement agreement_dispute_share_ppm_check CHECK (((dispute_share_ppm >= 0) AND (dispute_share_ppm <=
    1000000)))
agreement agreement_dispute_window_days_check CHECK (((dispute_window_days >= 0) AND (dispute_window_days <=
    3650)))
agreement agreement_due_days_check CHECK (((due_days >= 0) AND (due_days <= 366)))
agreement agreement_fee_micros_check CHECK ((fee_micros >= 0))
agreement agreement_fee_proration_check CHECK ((fee_proration = ANY (ARRAY['none'::text, 'daily'::text])))
agreement agreement_included_crawls_check CHECK ((included_crawls >= 0))
agreement agreement_minimum_fee_micros_check CHECK ((minimum_fee_micros >= 0))
agreement agreement_minimum_invoice_micros_check CHECK ((minimum_invoice_micros >= 0))
agreement agreement_pkey PRIMARY KEY (agreement_id)
agreement agreement_reason_check CHECK ((reason <> ''::text))
agreement agreement_settlement_check CHECK ((jsonb_typeof(settlement) = 'object'::text))
agreement agreement_site_id_crawler_id_version_key UNIQUE (site_id, crawler_id, version)
agreement agreement_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])))
agreement agreement_tax_rate_ppm_check CHECK (((tax_rate_ppm >= 0) AND (tax_rate_ppm <= 1000000)))
agreement agreement_tax_treatment_check CHECK ((tax_treatment = ANY (ARRAY['none'::text, 'standard'::text,
    'zero'::text, 'exempt'::text, 'reverse-charge'::text])))
agreement agreement_version_check CHECK ((version > 0))
agreement columns NOT NULL actor, agreement_id, buyer, cadence, crawler_id, due_days, fee_micros,
    fee_proration, included_crawls, minimum_fee_micros, minimum_invoice_micros, reason, recorded_at,
    settlement, site_id, status, subscription, tax_rate_ppm, tax_treatment, valid_from, version
agreement fee_proration DEFAULT 'none'::text
agreement_price agreement_price_agreement_id_fkey FOREIGN KEY (agreement_id) REFERENCES
    agreement(agreement_id)
agreement_price agreement_price_check CHECK ((num_nonnulls(rule, paths) = 1))
agreement_price agreement_price_paths_check CHECK ((cardinality(paths) > 0))
agreement_price agreement_price_pkey PRIMARY KEY (agreement_id, "position")
agreement_price agreement_price_position_check CHECK (("position" > 0))
agreement_price agreement_price_price_micros_check CHECK ((price_micros >= 0))
agreement_price agreement_price_rule_check CHECK ((rule <> ''::text))
agreement_price columns NOT NULL agreement_id, position, price_micros
agreement_tier agreement_tier_agreement_id_fkey FOREIGN KEY (agreement_id) REFERENCES agreement(agreement_id)
agreement_tier agreement_tier_discount_ppm_check CHECK (((discount_ppm >= 0) AND (discount_ppm <= 1000000)))
agreement_tier agreement_tier_from_crawl_check CHECK ((from_crawl > 0))
agreement_tier agreement_tier_pkey PRIMARY KEY (agreement_id, from_crawl)
agreement_tier columns NOT NULL agreement_id, discount_ppm, from_crawl
applied_credit applied_credit_actor_check CHECK ((actor <> ''::text))
applied_credit applied_credit_amount_minor_check CHECK ((amount_minor > 0))
applied_credit applied_credit_check CHECK ((number <> from_number))
applied_credit applied_credit_pkey PRIMARY KEY (site_id, number, from_number, step)
applied_credit applied_credit_site_id_from_number_fkey FOREIGN KEY (site_id, from_number) REFERENCES
    invoice(site_id, number)
applied_credit applied_credit_site_id_number_fkey FOREIGN KEY (site_id, number) REFERENCES
    invoice(site_id, number)
applied_credit applied_credit_step_check CHECK ((step > 0))
applied_credit columns NOT NULL actor, amount_minor, applied_at, from_number, number, site_id, step
archive archive_entries_check CHECK ((entries >= 0))
archive archive_event_check CHECK ((event = ANY (ARRAY['archived'::text, 'restored'::text])))
archive archive_file_check CHECK ((file <> ''::text))
archive archive_file_digest_check CHECK ((octet_length(file_digest) = 32))
archive archive_pkey PRIMARY KEY (archive_id)
archive archive_rows_digest_check CHECK ((octet_length(rows_digest) = 32))
archive archive_sum_micros_check CHECK ((sum_micros >= 0))
archive columns NOT NULL actor, archive_id, entries, event, file, file_digest, happened_at, rows_digest,
    sum_micros, utc_date
charge charge_amount_micros_check CHECK ((amount_micros >= 0))
charge charge_check CHECK ((lane = get_byte(uuid_send(payment_id), 15)))
charge charge_pkey PRIMARY KEY (payment_id, lane)
charge charge_thumbprint_check CHECK ((octet_length(thumbprint) = 32))
charge columns NOT NULL amount_micros, crawler_id, lane, payment_id, recorded_at, resource, rule,
    signature, signature_base, site_id, thumbprint
checkpoint checkpoint_day_root_check CHECK ((octet_length(day_root) = 32))
checkpoint checkpoint_leaf_check CHECK (((octet_length(leaf) >= 1) AND (octet_length(leaf) <= 65535)))
checkpoint checkpoint_log_root_check CHECK ((octet_length(log_root) = 32))
checkpoint checkpoint_log_size_check CHECK ((log_size > 0))
checkpoint checkpoint_pkey PRIMARY KEY (site_id, log_size)
checkpoint checkpoint_site_id_local_date_fkey FOREIGN KEY (site_id, local_date) REFERENCES day(site_id,
    local_date)
checkpoint checkpoint_site_id_local_date_key UNIQUE (site_id, local_date)
checkpoint columns NOT NULL day_root, leaf, local_date, log_root, log_size, note, site_id, verifier_key
checkpoint_key_change checkpoint_key_change_check CHECK ((new_key <> old_key))
checkpoint_key_change checkpoint_key_change_log_size_check CHECK ((log_size > 0))
checkpoint_key_change checkpoint_key_change_number_check CHECK ((number > 0))
checkpoint_key_change checkpoint_key_change_pkey PRIMARY KEY (site_id, number)
checkpoint_key_change checkpoint_key_change_reason_check CHECK ((reason <> ''::text))
checkpoint_key_change columns NOT NULL actor, changed_at, log_size, lost, new_key, note, number,
    old_key, reason, site_id
conflict columns NOT NULL amount_micros, crawler_id, evidence, payment_id, recorded_at, resource, rule,
    signature, signature_base, site_id, thumbprint
conflict conflict_crawler_id_fkey FOREIGN KEY (crawler_id) REFERENCES crawler(crawler_id)
conflict conflict_pkey PRIMARY KEY (payment_id, evidence)
conflict_count columns NOT NULL attempts, crawler_id, payment_id, site_id
conflict_count conflict_count_attempts_check CHECK ((attempts > 0))
conflict_count conflict_count_crawler_id_fkey FOREIGN KEY (crawler_id) REFERENCES crawler(crawler_id)
conflict_count conflict_count_pkey PRIMARY KEY (payment_id, crawler_id)
console_token columns NOT NULL actor, digest, made_at, name, role
console_token console_token_digest_check CHECK ((octet_length(digest) = 32))
console_token console_token_digest_key UNIQUE (digest)
console_token console_token_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'::text))
console_token console_token_pkey PRIMARY KEY (name)
console_token console_token_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'finance'::text,
    'auditor'::text, 'reader'::text])))
console_token_revocation columns NOT NULL actor, name, revoked_at
console_token_revocation console_token_revocation_name_fkey FOREIGN KEY (name) REFERENCES console_token(name)
console_token_revocation console_token_revocation_pkey PRIMARY KEY (name)
console_token_use columns NOT NULL name, used_at
console_token_use console_token_use_pkey PRIMARY KEY (name, used_at)
console_write columns NOT NULL answer, happened_at, key, name, request, status, step
console_write console_write_pkey PRIMARY KEY (name, key, step)
cosignature columns NOT NULL cosigned_at, line, log_size, site_id, witness
cosignature cosignature_pkey PRIMARY KEY (site_id, log_size, witness)
cosignature cosignature_site_id_log_size_fkey FOREIGN KEY (site_id, log_size) REFERENCES checkpoint(site_id,
    log_size)
crawler columns NOT NULL agent, crawler_id, first_seen_at
crawler crawler_agent_check CHECK (((agent <> ''::text) AND (octet_length(agent) <= 2048)))
crawler crawler_agent_key UNIQUE (agent)
crawler crawler_pkey PRIMARY KEY (crawler_id)
crawler_accrual columns NOT NULL amount_micros, crawler_id, local_date, site_id
crawler_accrual crawler_accrual_amount_micros_check CHECK ((amount_micros >= 0))
crawler_accrual crawler_accrual_crawler_id_fkey FOREIGN KEY (crawler_id) REFERENCES crawler(crawler_id)
crawler_accrual crawler_accrual_pkey PRIMARY KEY (site_id, local_date, crawler_id)
crawler_accrual crawler_accrual_site_id_local_date_fkey FOREIGN KEY (site_id, local_date) REFERENCES
    day_accrual(site_id, local_date)
crawler_day adjusted_micros DEFAULT 0
crawler_day columns NOT NULL adjusted_micros, carried_in_micros, carried_out_micros, close_number,
    crawler_id, credited_micros, entries, invoiced_micros, local_date, period_crawls_before, period_end,
    period_micros_before, reissued_micros, site_id, sum_micros, terms_micros
crawler_day crawler_day_agreement_id_fkey FOREIGN KEY (agreement_id) REFERENCES agreement(agreement_id)
crawler_day crawler_day_crawler_id_fkey FOREIGN KEY (crawler_id) REFERENCES crawler(crawler_id)
crawler_day crawler_day_credited_micros_check CHECK ((credited_micros >= 0))
crawler_day crawler_day_entries_check CHECK ((entries >= 0))
crawler_day crawler_day_invoiced_micros_check CHECK ((invoiced_micros >= 0))
crawler_day crawler_day_period_crawls_before_check CHECK ((period_crawls_before >= 0))
crawler_day crawler_day_pkey PRIMARY KEY (site_id, crawler_id, close_number)
crawler_day crawler_day_reissued_micros_check CHECK ((reissued_micros >= 0))
crawler_day crawler_day_site_id_local_date_crawler_id_key UNIQUE (site_id, local_date, crawler_id)
crawler_day crawler_day_site_id_local_date_fkey FOREIGN KEY (site_id, local_date) REFERENCES
    day(site_id, local_date)
crawler_day crawler_day_sum_micros_check CHECK ((sum_micros >= 0))
crawler_day credited_micros DEFAULT 0
crawler_day entries_are_invoiced_or_carried CHECK (((((carried_in_micros + sum_micros) + terms_micros) +
    adjusted_micros) = (((invoiced_micros + reissued_micros) - credited_micros) + carried_out_micros)))
crawler_day period_crawls_before DEFAULT 0
crawler_day period_end DEFAULT true
crawler_day period_micros_before DEFAULT 0
crawler_day reissued_micros DEFAULT 0
crawler_day terms_micros DEFAULT 0
crawler_day_line columns NOT NULL amount_micros, crawler_id, detail, kind, local_date, quantity, rule,
    site_id, unit_price_micros
crawler_day_line crawler_day_line_adjustment_id_fkey FOREIGN KEY (adjustment_id) REFERENCES
    adjustment(adjustment_id)
crawler_day_line crawler_day_line_adjustment_id_key UNIQUE (adjustment_id)
crawler_day_line crawler_day_line_check CHECK ((amount_micros = (unit_price_micros * quantity)))
crawler_day_line crawler_day_line_check1 CHECK (((kind = ANY (ARRAY['reversal'::text, 'refund'::text,
    'credit'::text, 'void'::text, 'reissue'::text])) = (adjustment_id IS NOT NULL)))
crawler_day_line crawler_day_line_check2 CHECK (((corrects IS NULL) OR (adjustment_id IS NOT NULL)))
crawler_day_line crawler_day_line_crawler_id_fkey FOREIGN KEY (crawler_id) REFERENCES crawler(crawler_id)
crawler_day_line crawler_day_line_kind_check CHECK ((kind = ANY (ARRAY['crawls'::text, 'included'::text,
    'subscription'::text, 'tier'::text, 'fee'::text, 'minimum'::text, 'reversal'::text, 'refund'::text,
    'credit'::text, 'void'::text, 'reissue'::text])))
crawler_day_line crawler_day_line_pkey PRIMARY KEY (site_id, local_date, crawler_id, kind, rule,
    unit_price_micros, detail)
crawler_day_line crawler_day_line_quantity_check CHECK ( CASE WHEN (kind = ANY (ARRAY['crawls'::text,
    'fee'::text, 'minimum'::text, 'reissue'::text])) THEN (quantity > 0) ELSE (quantity < 0) END)
crawler_day_line crawler_day_line_site_id_corrects_fkey FOREIGN KEY (site_id, corrects) REFERENCES
    invoice(site_id, number)
crawler_day_line crawler_day_line_site_id_local_date_fkey FOREIGN KEY (site_id, local_date) REFERENCES
    day(site_id, local_date)
crawler_day_line crawler_day_line_unit_price_micros_check CHECK ((unit_price_micros >= 0))
crawler_day_line detail DEFAULT ''::text
crawler_day_line kind DEFAULT 'crawls'::text
crawler_key columns NOT NULL crawler_id, directory_url, first_seen_at, public_key, thumbprint
crawler_key crawler_key_crawler_id_fkey FOREIGN KEY (crawler_id) REFERENCES crawler(crawler_id)
crawler_key crawler_key_pkey PRIMARY KEY (crawler_id, thumbprint)
crawler_key crawler_key_thumbprint_check CHECK ((octet_length(thumbprint) = 32))
crawler_key_source columns NOT NULL body_digest, crawler_id, first_relied_at, thumbprint, url
crawler_key_source crawler_key_source_crawler_id_thumbprint_fkey FOREIGN KEY (crawler_id, thumbprint)
    REFERENCES crawler_key(crawler_id, thumbprint)
crawler_key_source crawler_key_source_pkey PRIMARY KEY (crawler_id, thumbprint, url, body_digest)
crawler_key_source crawler_key_source_url_body_digest_fkey FOREIGN KEY (url, body_digest) REFERENCES
    directory_snapshot(url, body_digest)
day columns NOT NULL ends_at, local_date, site_id, starts_at, time_zone
day day_check CHECK ((starts_at < ends_at))
day day_pkey PRIMARY KEY (site_id, local_date)
day day_site_id_ends_at_key UNIQUE (site_id, ends_at)
day day_site_id_starts_at_key UNIQUE (site_id, starts_at)
day_accrual columns NOT NULL accrued_at, local_date, site_id
day_accrual day_accrual_pkey PRIMARY KEY (site_id, local_date)
day_accrual day_accrual_site_id_local_date_fkey FOREIGN KEY (site_id, local_date) REFERENCES
    day(site_id, local_date)
day_close columns NOT NULL close_number, due_at, entries, local_date, site_id, sum_micros
day_close day_close_entries_check CHECK ((entries >= 0))
day_close day_close_pkey PRIMARY KEY (site_id, local_date)
day_close day_close_site_id_close_number_key UNIQUE (site_id, close_number)
day_close day_close_site_id_local_date_fkey FOREIGN KEY (site_id, local_date) REFERENCES day(site_id,
    local_date)
day_close day_close_sum_micros_check CHECK ((sum_micros >= 0))
day_close day_close_unproven_check CHECK ((unproven >= 0))
day_delivery columns NOT NULL deliveries, local_date, root, site_id, tiles
day_delivery day_delivery_deliveries_check CHECK ((deliveries > 0))
day_delivery day_delivery_pkey PRIMARY KEY (site_id, local_date)
day_delivery day_delivery_root_check CHECK ((octet_length(root) = 32))
day_delivery day_delivery_site_id_local_date_fkey FOREIGN KEY (site_id, local_date) REFERENCES
    day(site_id, local_date)
day_delivery day_delivery_tiles_check CHECK ((tiles > 0))
day_fact columns NOT NULL digest, key, local_date, sealed_at, site_id, source
day_fact day_fact_digest_check CHECK ((octet_length(digest) = 32))
day_fact day_fact_pkey PRIMARY KEY (source, key)
day_fact day_fact_site_id_local_date_fkey FOREIGN KEY (site_id, local_date) REFERENCES day(site_id,
    local_date)
day_fact day_fact_source_key_fkey FOREIGN KEY (source, key) REFERENCES fact(source, key)
day_fact sealed_at DEFAULT clock_timestamp()
day_seal columns NOT NULL due_at, end_id, local_date, site_id
day_seal day_seal_pkey PRIMARY KEY (site_id, local_date)
day_seal day_seal_site_id_end_id_key UNIQUE (site_id, end_id)
day_seal day_seal_site_id_local_date_fkey FOREIGN KEY (site_id, local_date) REFERENCES day(site_id,
    local_date)
day_tile columns NOT NULL entries, first_id, hash, local_date, site_id, tile
day_tile day_tile_entries_check CHECK (((entries >= 1) AND (entries <= 256)))
day_tile day_tile_hash_check CHECK ((octet_length(hash) = 32))
day_tile day_tile_pkey PRIMARY KEY (site_id, local_date, tile)
day_tile day_tile_tile_check CHECK ((tile >= 0))
delivery columns NOT NULL ended, ended_at, payment_id, repeated, site_id
delivery delivery_body_digest_check CHECK ((octet_length(body_digest) = 32))
delivery delivery_client_check CHECK ((octet_length(client) = 16))
delivery delivery_ended_check CHECK ((ended = ANY (ARRAY['whole'::text, 'cut'::text, 'broken'::text,
    'handed'::text])))
delivery delivery_pkey PRIMARY KEY (payment_id, repeated)
delivery delivery_sent_bytes_check CHECK ((sent_bytes >= 0))
delivery delivery_status_check CHECK (((status >= 100) AND (status <= 999)))
delivery delivery_user_agent_check CHECK ((length(user_agent) <= 256))
delivery_tile columns NOT NULL deliveries, first_id, local_date, site_id
delivery_tile delivery_tile_deliveries_check CHECK (((octet_length(deliveries) >= 48) AND
    (octet_length(deliveries) <= 12288) AND ((octet_length(deliveries) % 48) = 0)))
delivery_tile delivery_tile_pkey PRIMARY KEY (first_id, site_id)
directory_snapshot columns NOT NULL body, body_digest, content_digest, content_type, fetched_at,
    signature, signature_input, url
directory_snapshot directory_snapshot_check CHECK ((body_digest = sha256(body)))
directory_snapshot directory_snapshot_pkey PRIMARY KEY (url, body_digest)
directory_snapshot directory_snapshot_url_check CHECK (((url <> ''::text) AND (octet_length(url) <= 2048)))
dispute columns NOT NULL actor, crawler_id, dispute_id, due_at, opened_at, opened_by, reason, site_id,
    statement
dispute dispute_actor_check CHECK ((actor <> ''::text))
dispute dispute_check CHECK ((due_at >= opened_at))
dispute dispute_check1 CHECK (((evidence IS NULL) = (evidence_name IS NULL)))
dispute dispute_check2 CHECK ((num_nonnulls(signature_base, signature, thumbprint) = CASE opened_by WHEN
    'crawler'::text THEN 3 ELSE 0 END))
dispute dispute_crawler_id_fkey FOREIGN KEY (crawler_id) REFERENCES crawler(crawler_id)
dispute dispute_evidence_check CHECK ((octet_length(evidence) <= 1048576))
dispute dispute_evidence_name_check CHECK ((evidence_name <> ''::text))
dispute dispute_opened_by_check CHECK ((opened_by = ANY (ARRAY['publisher'::text, 'crawler'::text])))
dispute dispute_pkey PRIMARY KEY (dispute_id)
dispute dispute_reason_check CHECK ((reason = ANY (ARRAY['service_not_delivered'::text,
    'service_defective'::text, 'duplicate_payment'::text, 'overcharge'::text, 'customer_request'::text,
    'other'::text])))
dispute dispute_statement_check CHECK ((octet_length(statement) <= 4096))
dispute dispute_thumbprint_check CHECK ((octet_length(thumbprint) = 32))
dispute_event columns NOT NULL actor, detail, dispute_id, event, happened_at, site_id, step
dispute_event detail DEFAULT ''::text
dispute_event dispute_event_actor_check CHECK ((actor <> ''::text))
dispute_event dispute_event_dispute_id_fkey FOREIGN KEY (dispute_id) REFERENCES dispute(dispute_id)
dispute_event dispute_event_event_check CHECK ((event = ANY (ARRAY['opened'::text, 'referred'::text,
    'upheld'::text, 'part_upheld'::text, 'rejected'::text])))
dispute_event dispute_event_once UNIQUE INDEX USING btree (dispute_id) WHERE (event = ANY
    (ARRAY['upheld'::text, 'part_upheld'::text, 'rejected'::text]))
dispute_event dispute_event_pkey PRIMARY KEY (dispute_id, step)
dispute_event dispute_event_step_check CHECK ((step > 0))
dispute_finding columns NOT NULL actor, amount_micros, dispute_id, found_at, payment_id, rule, site_id
dispute_finding dispute_finding_actor_check CHECK ((actor <> ''::text))
dispute_finding dispute_finding_adjustment_id_fkey FOREIGN KEY (adjustment_id) REFERENCES
    adjustment(adjustment_id)
dispute_finding dispute_finding_adjustment_id_key UNIQUE (adjustment_id)
dispute_finding dispute_finding_amount_micros_check CHECK ((amount_micros >= 0))
dispute_finding dispute_finding_check CHECK (((adjustment_id IS NOT NULL) = (amount_micros > 0)))
dispute_finding dispute_finding_dispute_id_fkey FOREIGN KEY (dispute_id) REFERENCES dispute(dispute_id)
dispute_finding dispute_finding_pkey PRIMARY KEY (dispute_id, payment_id)
dispute_piece columns NOT NULL actor, added_at, content, digest, dispute_id, media_type, name, note,
    position, site_id
dispute_piece dispute_piece_actor_check CHECK ((actor <> ''::text))
dispute_piece dispute_piece_check CHECK ((digest = sha256(content)))
dispute_piece dispute_piece_content_check CHECK (((octet_length(content) >= 1) AND (octet_length(content) <=
    1048576)))
dispute_piece dispute_piece_dispute_id_digest_key UNIQUE (dispute_id, digest)
dispute_piece dispute_piece_dispute_id_fkey FOREIGN KEY (dispute_id) REFERENCES dispute(dispute_id)
dispute_piece dispute_piece_media_type_check CHECK ((media_type = ANY (ARRAY['application/pdf'::text,
    'image/png'::text, 'image/jpeg'::text, 'text/plain'::text])))
dispute_piece dispute_piece_name_check CHECK (((name <> ''::text) AND (octet_length(name) <= 255)))
dispute_piece dispute_piece_note_check CHECK ((octet_length(note) <= 4096))
dispute_piece dispute_piece_pkey PRIMARY KEY (dispute_id, "position")
dispute_piece dispute_piece_position_check CHECK ((("position" >= 1) AND ("position" <= 50)))
dispute_subject columns NOT NULL amount_micros, dispute_id, position, site_id
dispute_subject dispute_subject_amount_micros_check CHECK ((amount_micros > 0))
dispute_subject dispute_subject_check CHECK (((num_nonnulls(payment_id, number) = 1) AND ((number IS
    NULL) = (line IS NULL))))
dispute_subject dispute_subject_dispute_id_fkey FOREIGN KEY (dispute_id) REFERENCES dispute(dispute_id)
dispute_subject dispute_subject_line UNIQUE INDEX USING btree (site_id, number, line) WHERE (number IS
    NOT NULL)
dispute_subject dispute_subject_payment UNIQUE INDEX USING btree (payment_id) WHERE (payment_id IS NOT NULL)
dispute_subject dispute_subject_pkey PRIMARY KEY (dispute_id, "position")
dispute_subject dispute_subject_position_check CHECK (("position" > 0))
dispute_subject dispute_subject_site_id_number_line_fkey FOREIGN KEY (site_id, number, line) REFERENCES
    invoice_line(site_id, number, line)
fact columns NOT NULL digest, key, made_at, source
fact fact_digest_check CHECK ((octet_length(digest) = 32))
fact fact_pkey PRIMARY KEY (source, key)
fact made_at DEFAULT clock_timestamp()
gate_clock columns NOT NULL ahead_ms, reported_at, writer_id
gate_clock gate_clock_pkey PRIMARY KEY (reported_at, writer_id)
gate_clock reported_at DEFAULT clock_timestamp()
handover columns NOT NULL payment_id, recorded_at, site_id
handover handover_pkey PRIMARY KEY (payment_id)
handover recorded_at DEFAULT clock_timestamp()
interim columns NOT NULL digest, end_id, entries, first_id, made_at, note, number, site_id, sum_micros,
    verifier_key
interim interim_check CHECK ((first_id < end_id))
interim interim_digest_check CHECK ((octet_length(digest) = 32))
interim interim_entries_check CHECK ((entries >= 0))
interim interim_facts CHECK (((facts IS NULL) = (facts_digest IS NULL)))
interim interim_facts_check CHECK ((facts >= 0))
interim interim_facts_digest_check CHECK ((octet_length(facts_digest) = 32))
interim interim_number_check CHECK ((number > 0))
interim interim_pkey PRIMARY KEY (site_id, number)
interim interim_site_id_end_id_key UNIQUE (site_id, end_id)
interim interim_sum_micros_check CHECK ((sum_micros >= 0))
interim_fact columns NOT NULL digest, first_id, key, number, site_id, source
interim_fact interim_fact_digest_check CHECK ((octet_length(digest) = 32))
interim_fact interim_fact_pkey PRIMARY KEY (first_id, site_id, number, source, key)
interim_tile columns NOT NULL entries, first_id, number, site_id, tile
interim_tile interim_tile_entries_check CHECK (((octet_length(entries) >= 24) AND
    (octet_length(entries) <= 6144) AND ((octet_length(entries) % 24) = 0)))
interim_tile interim_tile_pkey PRIMARY KEY (first_id, site_id, number, tile)
interim_tile interim_tile_tile_check CHECK ((tile >= 0))
invoice columns NOT NULL agent, buyer_party, carried_in_micros, carried_out_micros, crawler_id, currency,
    currency_decimals, ends_at, entries, first_date, issue_date, kind, local_date, net_micros, net_minor,
    network, number, rounding, seller_party, sequence, series, settlement, site_id, site_name, starts_at,
    subtotal_micros, tax_minor, tax_note, tax_rate_ppm, tax_treatment, terms, time_zone, total_minor
invoice invoice_agreement_id_fkey FOREIGN KEY (agreement_id) REFERENCES agreement(agreement_id)
invoice invoice_check CHECK (((carried_in_micros + subtotal_micros) = (net_micros + carried_out_micros)))
invoice invoice_check1 CHECK ((net_micros = (net_minor * minor_micros(currency_decimals))))
invoice invoice_check2 CHECK (((kind = 'credit-note'::text) OR (tax_minor = tax_of(net_minor, tax_rate_ppm))))
invoice invoice_check3 CHECK (((kind = 'credit-note'::text) = (corrects IS NOT NULL)))
invoice invoice_check4 CHECK (((kind = 'credit-note'::text) = (due_date IS NULL)))
invoice invoice_entries_check CHECK ((entries >= 0))
invoice invoice_kind_check CHECK ((kind = ANY (ARRAY['invoice'::text, 'credit-note'::text])))
invoice invoice_of_a_day UNIQUE NULLS NOT DISTINCT (site_id, local_date, crawler_id, corrects, replaces)
invoice invoice_pkey PRIMARY KEY (site_id, number)
invoice invoice_replaces_check CHECK ((((replaces IS NULL) = (crawls_date IS NULL)) AND ((replaces IS NULL) OR
    (kind = 'invoice'::text))))
invoice invoice_sequence_check CHECK ((sequence > 0))
invoice invoice_site_id_corrects_fkey FOREIGN KEY (site_id, corrects) REFERENCES invoice(site_id, number)
invoice invoice_site_id_local_date_crawler_id_fkey FOREIGN KEY (site_id, local_date, crawler_id) REFERENCES
    crawler_day(site_id, local_date, crawler_id)
invoice invoice_site_id_replaces_fkey FOREIGN KEY (site_id, replaces) REFERENCES invoice(site_id, number)
invoice invoice_site_id_series_sequence_key UNIQUE (site_id, series, sequence)
invoice invoice_tax_minor_check CHECK ((tax_minor >= 0))
invoice invoice_tax_rate_ppm_check CHECK (((tax_rate_ppm >= 0) AND (tax_rate_ppm <= 1000000)))
invoice invoice_tax_treatment_check CHECK ((tax_treatment = ANY (ARRAY['none'::text, 'standard'::text,
    'zero'::text, 'exempt'::text, 'reverse-charge'::text])))
invoice invoice_total_minor_check CHECK ((total_minor > 0))
invoice kind DEFAULT 'invoice'::text
invoice net_minor GENERATED (total_minor - tax_minor)
invoice settlement DEFAULT '{}'::jsonb
invoice tax_minor DEFAULT 0
invoice tax_note DEFAULT ''::text
invoice tax_rate_ppm DEFAULT 0
invoice tax_treatment DEFAULT 'none'::text
invoice terms DEFAULT ''::text
invoice_event columns NOT NULL actor, detail, event, happened_at, number, site_id, step
invoice_event detail DEFAULT ''::text
invoice_event invoice_event_event_check CHECK ((event = ANY (ARRAY['issued'::text, 'sent'::text, 'paid'::text,
    'part-paid'::text, 'overdue'::text, 'void'::text, 'returned'::text, 'credit-applied'::text,
    'reissued'::text, 'written-off'::text])))
invoice_event invoice_event_pkey PRIMARY KEY (site_id, number, step)
invoice_event invoice_event_site_id_number_fkey FOREIGN KEY (site_id, number) REFERENCES invoice(site_id,
    number)
invoice_event invoice_event_step_check CHECK ((step > 0))
invoice_line columns NOT NULL amount_micros, description, kind, line, number, quantity, site_id,
    unit_price_micros
invoice_line invoice_line_adjustment_id_fkey FOREIGN KEY (adjustment_id) REFERENCES adjustment(adjustment_id)
invoice_line invoice_line_check CHECK ((amount_micros = (quantity * unit_price_micros)))
invoice_line invoice_line_line_check CHECK ((line > 0))
invoice_line invoice_line_pkey PRIMARY KEY (site_id, number, line)
invoice_line invoice_line_quantity_check CHECK ((quantity <> 0))
invoice_line invoice_line_site_id_number_fkey FOREIGN KEY (site_id, number) REFERENCES invoice(site_id,
    number)
invoice_line kind DEFAULT 'crawls'::text
invoice_payment columns NOT NULL actor, amount_minor, number, received_on, recorded_at, reference, site_id
invoice_payment invoice_payment_actor_check CHECK ((actor <> ''::text))
invoice_payment invoice_payment_amount_minor_check CHECK ((amount_minor <> 0))
invoice_payment invoice_payment_identity UNIQUE INDEX USING btree (site_id, number, identity)
invoice_payment invoice_payment_identity_check CHECK ((identity <> ''::text))
invoice_payment invoice_payment_pkey PRIMARY KEY (site_id, number, reference)
invoice_payment invoice_payment_reference_check CHECK ((reference <> ''::text))
invoice_payment invoice_payment_site_id_number_fkey FOREIGN KEY (site_id, number) REFERENCES invoice(site_id,
    number)
number_series columns NOT NULL last_number, series, site_id
number_series last_number DEFAULT 0
number_series number_series_last_number_check CHECK ((last_number >= 0))
number_series number_series_pkey PRIMARY KEY (site_id, series)
offer_terms columns NOT NULL first_used_at, site_id, terms_url, ttl_seconds
offer_terms offer_terms_pkey PRIMARY KEY (site_id, terms_url, ttl_seconds)
offer_terms offer_terms_terms_url_check CHECK ((terms_url <> ''::text))
offer_terms offer_terms_ttl_seconds_check CHECK (((ttl_seconds >= 1) AND (ttl_seconds <= 3600)))
operator_action columns NOT NULL action, action_id, actor, detail, happened_at
operator_action operator_action_pkey PRIMARY KEY (action_id)
outbox columns NOT NULL body, made_at, message_id, site_id, type
outbox outbox_message_id_check CHECK ((message_id ~ '^[A-Za-z0-9_-]{1,64}$'::text))
outbox outbox_pkey PRIMARY KEY (message_id)
outbox outbox_type_check CHECK ((type <> ''::text))
outbox_attempt columns NOT NULL attempt, detail, happened_at, message_id, status
outbox_attempt outbox_attempt_attempt_check CHECK ((attempt > 0))
outbox_attempt outbox_attempt_message_id_fkey FOREIGN KEY (message_id) REFERENCES outbox(message_id)
outbox_attempt outbox_attempt_pkey PRIMARY KEY (message_id, attempt)
outbox_attempt outbox_attempt_status_check CHECK (((status >= 0) AND (status <= 999)))
page_copy columns NOT NULL copy, crawler_id, payment_id, site_id, whole
page_copy page_copy_copy_check CHECK ((octet_length(copy) = 32))
page_copy page_copy_pkey PRIMARY KEY (payment_id)
payment_identifier columns NOT NULL claim, payload, payment_id
payment_identifier payment_identifier_payload_check CHECK ((octet_length(payload) = 32))
payment_identifier payment_identifier_pkey PRIMARY KEY (claim)
sandbox columns NOT NULL actor, marked_at, offset_seconds, single
sandbox sandbox_actor_check CHECK ((actor <> ''::text))
sandbox sandbox_offset_seconds_check CHECK ((offset_seconds <> 0))
sandbox sandbox_pkey PRIMARY KEY (single)
sandbox sandbox_single_check CHECK (single)
schema_version columns NOT NULL applied_at, name, version
schema_version schema_version_check CHECK (((oldest_gate > 0) AND (oldest_gate <= version)))
schema_version schema_version_pkey PRIMARY KEY (version)
seller_logo columns NOT NULL digest, media_type, picture
seller_logo seller_logo_check CHECK ((digest = encode(sha256(picture), 'hex'::text)))
seller_logo seller_logo_pkey PRIMARY KEY (digest)
settlement columns NOT NULL amount_minor, attempt, batch_id, number, rail, site_id
settlement settlement_amount_minor_check CHECK ((amount_minor > 0))
settlement settlement_attempt_check CHECK ((attempt > 0))
settlement settlement_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES settlement_batch(batch_id)
settlement settlement_pkey PRIMARY KEY (site_id, number, rail, attempt)
settlement settlement_site_id_number_fkey FOREIGN KEY (site_id, number) REFERENCES invoice(site_id, number)
settlement_batch columns NOT NULL actor, batch_id, collect_on, content, currency, digest, invoices, made_at,
    rail, site_id, total_minor
settlement_batch settlement_batch_check CHECK ((digest = sha256(content)))
settlement_batch settlement_batch_day UNIQUE INDEX USING btree ((((made_at AT TIME ZONE 'UTC'::text))::date),
    file_of_day) WHERE (rail = 'ach'::text)
settlement_batch settlement_batch_file_of_day_check CHECK ((file_of_day >= 0))
settlement_batch settlement_batch_invoices_check CHECK ((invoices > 0))
settlement_batch settlement_batch_pkey PRIMARY KEY (batch_id)
settlement_batch settlement_batch_rail_check CHECK ((rail = ANY (ARRAY['sepa-direct-debit'::text, 'ach'::text,
    'x402'::text, 'card'::text])))
settlement_batch settlement_batch_total_minor_check CHECK ((total_minor > 0))
site columns NOT NULL currency, currency_decimals, name, network, registered_at, seller, site_id, time_zone
site site_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
site site_currency_decimals_check CHECK (((currency_decimals >= 0) AND (currency_decimals <= 4)))
site site_name_check CHECK ((name <> ''::text))
site site_name_key UNIQUE (name)
site site_pkey PRIMARY KEY (site_id)
site_terms columns NOT NULL actor, cadence, due_days, hold, minimum_invoice_micros, recorded_at,
    site_id, tax_rate_ppm, tax_treatment, valid_from, version
site_terms site_terms_actor_check CHECK ((actor <> ''::text))
site_terms site_terms_cadence_check CHECK ((cadence = ANY (ARRAY['daily'::text, 'weekly'::text,
    'monthly'::text])))
site_terms site_terms_check CHECK (((tax_treatment = 'standard'::text) OR (tax_rate_ppm = 0)))
site_terms site_terms_due_days_check CHECK (((due_days >= 0) AND (due_days <= 366)))
site_terms site_terms_minimum_invoice_micros_check CHECK ((minimum_invoice_micros >= 0))
site_terms site_terms_pkey PRIMARY KEY (site_id, version)
site_terms site_terms_tax_rate_ppm_check CHECK (((tax_rate_ppm >= 0) AND (tax_rate_ppm <= 1000000)))
site_terms site_terms_tax_treatment_check CHECK ((tax_treatment = ANY (ARRAY['none'::text,
    'standard'::text, 'zero'::text, 'exempt'::text])))
site_terms site_terms_version_check CHECK ((version > 0))
site_zone columns NOT NULL actor, from_date, recorded_at, site_id, time_zone, version
site_zone site_zone_pkey PRIMARY KEY (site_id, version)
site_zone site_zone_time_zone_check CHECK ((('1970-01-01 00:00:00+00'::timestamp with time zone AT TIME
    ZONE time_zone) IS NOT NULL))
site_zone site_zone_version_check CHECK ((version > 0))
spend columns NOT NULL amount_micros, crawler_id, entries, quarter, sequence, site_id, writer_id
spend spend_check CHECK ((((entries > 0) AND (amount_micros >= 0)) OR ((entries < 0) AND (amount_micros
    <= 0)) OR ((entries = 0) AND (amount_micros < 0))))
spend spend_pkey PRIMARY KEY (quarter, writer_id, sequence, site_id, crawler_id)
spend spend_sequence_check CHECK ((sequence > 0))
token columns NOT NULL actor, digest, made_at, name, role, site_id
token token_actor_check CHECK ((actor <> ''::text))
token token_check CHECK ((expires_at > made_at))
token token_digest_check CHECK ((octet_length(digest) = 32))
token token_digest_key UNIQUE (digest)
token token_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'::text))
token token_pkey PRIMARY KEY (site_id, name)
token token_role_check CHECK ((role = ANY (ARRAY['settle'::text, 'verify'::text])))
token_revocation columns NOT NULL actor, name, revoked_at, site_id
token_revocation token_revocation_actor_check CHECK ((actor <> ''::text))
token_revocation token_revocation_pkey PRIMARY KEY (site_id, name)
token_revocation token_revocation_site_id_name_fkey FOREIGN KEY (site_id, name) REFERENCES token(site_id,
    name)
traffic columns NOT NULL amount_micros, batch, bytes, crawler, outcome, pages, period, reason, requests,
    rule, site_id, verified, written_at
traffic traffic_check CHECK (((requests >= 0) AND (bytes >= 0) AND (amount_micros >= 0)))
traffic traffic_outcome_check CHECK ((outcome = ANY (ARRAY['offered'::text, 'paid'::text,
    'repeated'::text, 'refused'::text, 'free'::text, 'observed'::text])))
traffic written_at DEFAULT clock_timestamp()
traffic_day columns NOT NULL amount_micros, bytes, crawler, day, outcome, pages, reason, requests, rule,
    site_id, verified
traffic_day traffic_day_pkey PRIMARY KEY (site_id, day, crawler, verified, rule, outcome, reason)
traffic_hour columns NOT NULL amount_micros, bytes, crawler, hour, outcome, pages, reason, requests,
    rule, site_id, verified
traffic_month columns NOT NULL amount_micros, bytes, crawler, month, outcome, pages, reason, requests, rule,
    site_id, verified
traffic_month traffic_month_pkey PRIMARY KEY (site_id, month, crawler, verified, rule, outcome, reason)
traffic_path columns NOT NULL amount_micros, bytes, crawler, day, outcome, path, requests, rule, site_id,
    verified
traffic_path traffic_path_pkey PRIMARY KEY (site_id, day, path, crawler, verified, rule, outcome)
traffic_stretch columns NOT NULL amount_micros, bytes, crawler, first_day, outcome, pages, reason, requests,
    rule, site_id, verified
traffic_stretch traffic_stretch_pkey PRIMARY KEY (site_id, first_day, crawler, verified, rule, outcome,
    reason)
traffic_total columns NOT NULL amount_micros, bytes, hour, outcome, pages, reason, requests, site_id
traffic_total traffic_total_pkey PRIMARY KEY (site_id, hour, outcome, reason)
traffic_trim columns NOT NULL day, site_id
traffic_trim traffic_trim_pkey PRIMARY KEY (site_id, day)
undelivered columns NOT NULL payment_id, recorded_at, sent_bytes, site_id, status, told_by
undelivered recorded_at DEFAULT clock_timestamp()
undelivered undelivered_final_micros_check CHECK ((final_micros > 0))
undelivered undelivered_length_bytes_check CHECK ((length_bytes >= 0))
undelivered undelivered_pkey PRIMARY KEY (payment_id)
undelivered undelivered_sent_bytes_check CHECK ((sent_bytes >= 0))
undelivered undelivered_status_check CHECK (((status >= 0) AND (status <= 999)))
undelivered undelivered_told_by_check CHECK ((told_by = ANY (ARRAY['gate'::text, 'front'::text,
    'log'::text, 'server'::text])))
unproven columns NOT NULL amount_micros, crawler_id, payment_id, reason, site_id
unproven unproven_pkey PRIMARY KEY (payment_id)
unproven unproven_reason_check CHECK ((reason ~ '^[a-z][a-z_]*$'::text))
$list$, '\n    ', ' ', 'g'), '^(\S+) (\S+) (.*)$', 'gn') AS m
    UNION ALL
    -- Of what is a site's: said once for all of it.
    SELECT t, t || '_site_id_fkey', 'FOREIGN KEY (site_id) REFERENCES site(site_id)'
      FROM unnest(string_to_array(
        'account_balance adjustment agreement checkpoint_key_change conflict conflict_count day dispute'
        ' dispute_event dispute_finding dispute_piece dispute_subject fact interim invoice number_series'
        ' offer_terms outbox settlement_batch site_terms site_zone token undelivered unproven', ' ')) AS t
), ledger AS (
    SELECT c.oid, c.relname::text FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
), present (relname, name, definition, valid) AS (
    SELECT l.relname, c.conname::text,
           rtrim(regexp_replace(pg_get_constraintdef(c.oid), '\s+(NOT VALID$)?', ' ', 'g')), c.convalidated
      FROM ledger l JOIN pg_constraint c ON c.conrelid = l.oid WHERE c.contype NOT IN ('n', 't')
    UNION ALL
    SELECT l.relname, c.relname, regexp_replace(pg_get_indexdef(c.oid), '^.* USING', 'UNIQUE INDEX USING'),
           i.indisvalid
      FROM ledger l JOIN pg_index i ON i.indrelid = l.oid JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indisunique AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = c.oid)
    UNION ALL
    SELECT l.relname, a.attname, CASE a.attgenerated WHEN '' THEN 'DEFAULT ' ELSE 'GENERATED ' END
                                 || pg_get_expr(d.adbin, d.adrelid), true
      FROM ledger l JOIN pg_attribute a ON a.attrelid = l.oid
      JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT l.relname, 'columns', 'NOT NULL ' || string_agg(a.attname, ', ' ORDER BY a.attname::text), true
      FROM ledger l JOIN pg_attribute a ON a.attrelid = l.oid
     WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull GROUP BY l.relname
)
SELECT 'table ' || coalesce(w.relname, p.relname) AS subject,
       CASE WHEN w.name IS NULL
            THEN name || ' is none of the ledger''s: ' || p.definition || '; if nobody knows it, drop it'
            WHEN p.name IS NULL THEN name || ' is missing: add it again as ' || w.definition
            WHEN w.definition <> p.definition
            THEN name || ' is now ' || p.definition || ': make it ' || w.definition || ' again'
            ELSE name || ' is not checked for all rows: validate it, or make it again' END AS problem
  FROM wanted w FULL JOIN present p USING (relname, name)
 WHERE w.definition IS DISTINCT FROM p.definition OR NOT p.valid
UNION ALL
SELECT 'table ' || relname, 'is none of the ledger''s: drop it, or move it to another schema'
  FROM ledger l WHERE NOT EXISTS (SELECT FROM wanted w WHERE w.relname = l.relname)
UNION ALL
-- Those of a table's partitions are the table's.
SELECT 'table ' || r.relname, c.conname || ' is not checked for all rows: validate it, or make it again'
  FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
 WHERE r.relnamespace = 'public'::regnamespace AND r.relispartition AND NOT c.convalidated
 LIMIT 100
