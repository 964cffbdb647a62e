-- While a transaction waits for a lock on a table, all who come after it wait as well. Payments can do so for
-- half a second.
SELECT set_config('lock_timeout', '500ms', true)
