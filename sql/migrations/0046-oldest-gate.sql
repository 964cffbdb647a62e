-- Gates are upgraded one after the other: a migration says which of them can go on meanwhile.
-- Gates since 46 go on.

ALTER TABLE schema_version ADD COLUMN oldest_gate integer
    CHECK (oldest_gate > 0 AND oldest_gate <= version);
COMMENT ON COLUMN schema_version.oldest_gate IS 'The oldest version of gates that can go on with this one;
NULL: this one.';
