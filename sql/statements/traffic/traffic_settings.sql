-- For the session: a report reads some thousand rows, and two processes more take longer to begin than that.
SELECT set_config('max_parallel_workers_per_gather', '0', false)
