-- When the ledger was audited last, and how much was found. No row: never yet.
-- columns: happened_ms bigint, findings bigint
SELECT instant_ms(happened_at) AS happened_ms, findings FROM newest_audit()
