-- id: store/tables_of
-- params: $database: name of an attached database
-- reads: the catalog
-- returns: schema, name
-- grain: one row per table or view that is not internal
SELECT schema_name AS schema, relation AS name
FROM (
    SELECT database_name, schema_name, table_name AS relation, internal FROM duckdb_tables()
    UNION ALL
    SELECT database_name, schema_name, view_name, internal FROM duckdb_views()
)
WHERE database_name = $database AND NOT internal
ORDER BY schema_name, relation
