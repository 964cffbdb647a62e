CREATE OR REPLACE FUNCTION crawler_account(agent text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(split_part(agent, '?', 1),
                          '^([a-z]+://[^/]+)(/|/\.well-known/http-message-signatures-directory)$', '\1');
COMMENT ON FUNCTION crawler_account IS 'The account that a crawler''s URL has, as agent_account in
ledger/base/http/agent.c: another one than its own name for accounts of before.';
