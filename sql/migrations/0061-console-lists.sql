-- Lists of the console page by key: a page costs the same however many disputes and messages there are.
-- Gates since 46 go on.

CREATE INDEX dispute_due ON dispute (due_at, dispute_id);
CREATE INDEX outbox_newest ON outbox (made_at, message_id);
