-- The range of ids of the UTC days from $1 to before $2.
SELECT uuid_floor($1::date::timestamp AT TIME ZONE 'UTC'), uuid_floor($2::date::timestamp AT TIME ZONE 'UTC')
