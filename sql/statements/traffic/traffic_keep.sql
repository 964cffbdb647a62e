-- Partitions for what is counted now and next; hours that are over are added up.
SELECT keep_traffic()
