-- Where each crawler's newest key was found, the newest of them first, at most $1; and how many there are.
-- columns: agent text, directory_url text, crawlers bigint
SELECT agent, directory_url, count(*) OVER () AS crawlers
  FROM (SELECT DISTINCT ON (k.crawler_id) c.agent, k.directory_url, k.first_seen_at
          FROM crawler_key k JOIN crawler c USING (crawler_id)
         ORDER BY k.crawler_id, k.first_seen_at DESC) AS newest
 ORDER BY first_seen_at DESC, agent LIMIT $1::bigint
