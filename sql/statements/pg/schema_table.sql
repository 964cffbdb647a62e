-- Whether anything was ever migrated here.
SELECT to_regclass('public.schema_version') IS NOT NULL
