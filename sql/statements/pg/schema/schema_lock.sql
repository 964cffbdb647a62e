-- Two `crawltab migrate` at once: the second waits here, then finds nothing to do. Readers do not wait.
LOCK TABLE schema_version IN SHARE ROW EXCLUSIVE MODE
