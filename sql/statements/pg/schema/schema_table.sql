-- Whether anything was ever migrated here.
-- columns: exists boolean
SELECT to_regclass('public.schema_version') IS NOT NULL AS "exists"
