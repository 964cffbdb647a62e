-- Until the end of the transaction what is done on many servers is done by one connection to each: what one
-- has made there another would wait for.
SELECT set_config('citus.multi_shard_modify_mode', 'sequential', true)
