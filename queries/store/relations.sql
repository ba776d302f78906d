-- id: store/relations
-- params: $name: a relation's name in any case, or NULL for all
-- reads: the catalog
-- returns: database, name, is_table, oid, counted (counting reads no rows)
-- grain: one row per cell result or source view, cells first
SELECT database_name AS database, relation AS name, is_table, oid, counted
FROM (
    SELECT database_name, table_name AS relation, true AS is_table, table_oid::UBIGINT AS oid, true AS counted
    FROM duckdb_tables()
    UNION ALL
    SELECT database_name, view_name, false, view_oid::UBIGINT, NOT regexp_matches(sql, '\bread_(csv|json)\(')
    FROM duckdb_views()
)
WHERE database_name IN ('cells', 'sources')
  AND ($name IS NULL OR lower(relation) = lower($name::VARCHAR))
ORDER BY database_name, relation
