-- This version's functions and views, made in pg_temp a moment ago, against those of the database, which
-- belong to the role of the owner, $1.
-- columns of audit_finding: subject text, problem text
WITH known AS (
    SELECT 'function ' || p.proname AS subject, p.pronamespace AS namespace, p.proowner AS owner, p.oid,
           'pg_proc'::regclass AS class,
           ROW(p.prosrc, pg_get_function_sqlbody(p.oid), p.prolang, p.prokind, p.prosecdef, p.proleakproof,
               p.proisstrict, p.proretset, p.provolatile, p.proparallel, p.prorettype, p.proargtypes,
               p.proallargtypes, p.proargmodes, p.proargnames, p.proconfig,
               pg_get_expr(p.proargdefaults, 0))::text AS made
      FROM pg_proc p
    UNION ALL
    SELECT 'view ' || c.relname, c.relnamespace, c.relowner, c.oid, 'pg_class',
           ROW(pg_get_viewdef(c.oid), c.reloptions)::text
      FROM pg_class c WHERE c.relkind = 'v'
), own AS (
    SELECT k.subject, k.namespace = pg_my_temp_schema() AS wanted, pg_get_userbyid(k.owner) AS owner, k.made
      FROM known k
     WHERE k.namespace IN ('public'::regnamespace, pg_my_temp_schema())
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = k.class AND d.objid = k.oid
                          AND d.deptype = 'e')
)
SELECT subject,
       CASE WHEN p.made IS NULL THEN 'is missing: make it again from sql/ of this version'
            WHEN w.made IS NULL THEN 'is none of the ledger''s: drop it, or move it to another schema'
            WHEN p.made <> w.made
            THEN 'is not what this version of the ledger has made: make it again from sql/ of this version'
            ELSE 'belongs to role "' || p.owner || '": give it back to role "' || $1::text || '"'
       END AS problem
  FROM (SELECT * FROM own WHERE NOT wanted) AS p
  FULL JOIN (SELECT * FROM own WHERE wanted) AS w USING (subject)
 WHERE p.made IS DISTINCT FROM w.made OR p.owner <> $1::text AND w.made IS NOT NULL
 ORDER BY 1 LIMIT 100
