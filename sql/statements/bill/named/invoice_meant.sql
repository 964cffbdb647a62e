-- Numbers that may have been meant by $1: one of $2, or the same but for case, zeros and what stands between.
-- columns: number text, site text, kind text, agent text, issue_date date
SELECT number, site_name AS site, kind, agent, issue_date FROM invoice
 WHERE number = ANY ($2::text[])
    OR regexp_replace(upper(number), '[^A-Z0-9]|(?<![0-9])0+(?=[0-9])', '', 'g')
       = regexp_replace(upper($1::text), '[^A-Z0-9]|(?<![0-9])0+(?=[0-9])', '', 'g')
 ORDER BY number = ANY ($2::text[]) DESC, local_date DESC, number LIMIT 8
