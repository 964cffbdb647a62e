-- $1: the clock of whoever asks. Yesterday, because offers made before midnight are paid after it.
SELECT charge_partitions((instant($1::bigint) AT TIME ZONE 'UTC')::date - 1,
                         (instant($1::bigint) AT TIME ZONE 'UTC')::date + 3)
