-- Lets role $1 read all, if there is such a role.
SELECT let_auditor_read($1::text)
