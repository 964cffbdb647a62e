-- Before there is a table to lock: two first runs at once would both make it, and one would fail with an
-- ugly message. Only that is at stake, so an advisory lock will do.
SELECT pg_advisory_xact_lock(7201648226415239)
