-- The command that makes the database, quoted by PostgreSQL, or no row when it is there: CREATE DATABASE
-- takes no parameters. template0: a fresh database whatever was added to template1.
-- columns: command text
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8''', $1::text, $2::text)
           AS command
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = $1::text)
