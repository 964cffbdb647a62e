CREATE OR REPLACE FUNCTION dispute_add(opening dispute, payments uuid[], numbers text[], lines integer[],
                                       of_window integer, of_answer integer) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    found record;
    known uuid;
BEGIN
    IF coalesce(cardinality(payments), 0) NOT BETWEEN 1 AND 1000
       OR cardinality(numbers) IS DISTINCT FROM cardinality(payments)
       OR cardinality(lines) IS DISTINCT FROM cardinality(payments) THEN
        RAISE EXCEPTION 'a dispute is about 1 to 1000 payments and lines'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- One at a time: who comes second sees what the first has disputed.
    PERFORM pg_advisory_xact_lock(20131, opening.site_id::integer);
    opening.opened_at := uuid_instant(opening.dispute_id);
    SELECT count(*) AS subjects, count(*) FILTER (WHERE s.cause <> '') AS refused,
           count(*) FILTER (WHERE s.cause = 'disputed') AS disputed,
           count(DISTINCT s.detail) AS details, min(s.detail) AS detail, max(s.crawler_id) AS crawler_id,
           jsonb_agg(to_jsonb(s) - 'crawler_id' ORDER BY s.place) AS list
      INTO found
      FROM dispute_subjects(opening.site_id, coalesce(opening.crawler_id, 0), payments, numbers, lines,
                            opening.opened_at, of_window) s;
    IF found.disputed = found.subjects AND found.details = 1 THEN
        SELECT d.dispute_id INTO known FROM dispute d
         WHERE d.dispute_id = found.detail::uuid AND d.opened_by = opening.opened_by
           AND d.reason = opening.reason
           AND (SELECT count(*) FROM dispute_subject s WHERE s.dispute_id = d.dispute_id) = found.subjects
           AND (SELECT count(*) FROM dispute_subject s JOIN unnest(payments, numbers, lines) AS a (p, n, l)
                    ON s.payment_id = a.p OR a.p IS NULL AND s.number = a.n AND s.line = a.l
                 WHERE s.dispute_id = d.dispute_id) = found.subjects;
    END IF;
    IF known IS NOT NULL OR found.refused > 0 THEN
        RETURN jsonb_build_object('outcome', CASE WHEN known IS NULL THEN 'refused' ELSE 'known' END,
                                  'dispute_id', known, 'subjects', found.list);
    END IF;
    opening.crawler_id := found.crawler_id;
    opening.due_at := opening.opened_at + interval '1 day' * coalesce((
        SELECT a.dispute_answer_days FROM agreement a
         WHERE a.site_id = opening.site_id AND a.crawler_id = found.crawler_id
           AND a.valid_from <= opening.opened_at
         ORDER BY a.version DESC LIMIT 1), of_answer);
    INSERT INTO dispute SELECT opening.*;
    INSERT INTO dispute_subject (dispute_id, position, site_id, payment_id, number, line, amount_micros)
    SELECT opening.dispute_id, s.place, opening.site_id, payments[s.place],
           CASE WHEN payments[s.place] IS NULL THEN numbers[s.place] END,
           CASE WHEN payments[s.place] IS NULL THEN lines[s.place] END, s.amount_micros
      FROM jsonb_to_recordset(found.list) AS s (place integer, amount_micros bigint);
    INSERT INTO dispute_event (dispute_id, step, site_id, event, happened_at, actor, detail)
    VALUES (opening.dispute_id, 1, opening.site_id, 'opened', opening.opened_at, opening.actor,
            opening.statement);
    RETURN jsonb_build_object('outcome', 'opened', 'dispute_id', opening.dispute_id,
                              'due_at', instant_text(opening.due_at), 'subjects', found.list);
END
$$;
COMMENT ON FUNCTION dispute_add IS 'Opens a dispute about payments, or lines of invoices where the payment is
NULL, all of them or none: {outcome, dispute_id, due_at, subjects: [{place, amount_micros, cause, detail}]}.
Outcome: opened; known (the same was opened before, under that id); refused (causes as of dispute_subjects).
The windows are those of the agreement in force, or else the given days.';
