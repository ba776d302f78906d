-- id: store/relations
-- params: $name: a relation's name in any case, or NULL for all
-- reads: the catalog
-- returns: database, name, is_table, oid, counted (counting reads no rows), rows (of a table)
-- grain: one row per cell result or source view, cells first
SELECT
    database_name AS database,
    table_name AS name,
    true AS is_table,
    table_oid::UBIGINT AS oid,
    true AS counted,
    -- Exact here: nothing is ever deleted from a result.
    estimated_size::UBIGINT AS rows
FROM duckdb_tables()
WHERE database_name = 'cells' AND ($name IS NULL OR lower(table_name) = lower($name::VARCHAR))
UNION ALL
SELECT
    database_name,
    view_name,
    false,
    view_oid::UBIGINT,
    NOT (contains(sql, 'read_csv(') OR contains(sql, 'read_json(')),
    NULL
FROM duckdb_views()
WHERE database_name = 'sources' AND NOT internal AND ($name IS NULL OR lower(view_name) = lower($name::VARCHAR))
ORDER BY database, name
