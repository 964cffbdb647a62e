-- What was not delivered is told by servers that sell by themselves, too.

ALTER TABLE undelivered DROP CONSTRAINT undelivered_told_by_check,
    ADD CONSTRAINT undelivered_told_by_check CHECK (told_by IN ('gate', 'front', 'log', 'server'));
COMMENT ON COLUMN undelivered.told_by IS 'gate: it streamed the page itself. front: POST /undelivered of the
decision listener. log: crawltab undelivered --log. server: it sells by itself, and has settled nothing.';
