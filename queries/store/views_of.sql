-- id: store/views_of
-- params: $database: name of an attached database
-- reads: the catalog
-- returns: kind, name, text
-- grain: one row per view or macro that is not internal; the text is what it runs
SELECT kind, name, text
FROM (
    SELECT database_name, 'view' AS kind, view_name AS name, sql AS text, internal FROM duckdb_views()
    UNION ALL
    SELECT database_name, 'macro', function_name, macro_definition, internal FROM duckdb_functions()
    WHERE function_type IN ('macro', 'table_macro')
)
WHERE database_name = $database AND NOT internal
ORDER BY kind DESC, name
