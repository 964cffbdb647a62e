-- What guards entries where they are on other servers.
-- columns of audit_finding: subject text, problem text
SELECT subject, problem FROM shard_guards() ORDER BY subject LIMIT 100
