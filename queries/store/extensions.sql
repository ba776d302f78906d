-- id: store/extensions
-- params: none
-- reads: the extensions that this DuckDB knows
-- returns: name, installed (on this machine or built in), loaded
-- grain: one row per extension
SELECT extension_name AS name, installed, loaded
FROM duckdb_extensions()
ORDER BY name
