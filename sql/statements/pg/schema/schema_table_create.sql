-- Stands before the first migration, because it is what two concurrent runs lock.
CREATE TABLE schema_version (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL
)
