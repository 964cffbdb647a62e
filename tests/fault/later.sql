-- What a later version may change while gates of this one go on: a column with a default, a table, an index.
-- Gates since @version@ go on.

ALTER TABLE charge ADD COLUMN later integer NOT NULL DEFAULT 0;
CREATE TABLE later (id bigint PRIMARY KEY);
SELECT make_append_only('later');
CREATE INDEX ON charge (crawler_id, later);
