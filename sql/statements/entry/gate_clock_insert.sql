-- Connection $1 of a gate, whose clock says $2, reports.
INSERT INTO gate_clock (writer_id, ahead_ms) VALUES ($1::uuid, $2::bigint - instant_ms(clock_timestamp()))
