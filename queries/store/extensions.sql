-- id: store/extensions
-- params: none
-- reads: the catalog of extensions
-- returns: name VARCHAR, loaded BOOLEAN
-- grain: one row per extension that is built in or installed
SELECT extension_name AS name, loaded
FROM duckdb_extensions()
WHERE loaded OR installed
ORDER BY name
