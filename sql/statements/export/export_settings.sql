-- For the transaction alone. So the plan of export_entries keeps to the index that has the entries' order,
-- whatever the statistics say of a day that is nearly the whole partition; and rows come at once.
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_sort', 'off', true),
       set_config('jit', 'off', true)
