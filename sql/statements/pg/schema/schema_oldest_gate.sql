-- The oldest version of gates that can go on: each migration says it for itself, and those before 46 let none
-- go on but their own.
-- columns: version integer
SELECT max(coalesce(oldest_gate, version)) AS version FROM schema_version
