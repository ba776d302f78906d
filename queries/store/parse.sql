-- id: store/parse
-- params: $sql: any text
-- reads: nothing; the text is parsed by DuckDB and not run
-- returns: error, message, position (byte), statements, functions (blank-separated), items (of the select list), source (of FROM)
-- grain: one row
WITH parsed AS (
    SELECT json_serialize_sql($sql::VARCHAR) AS j
)
SELECT
    j ->> 'error' = 'true' AS error,
    j ->> 'error_message' AS message,
    (j ->> 'position')::UBIGINT AS position,
    coalesce(json_array_length(j, '$.statements'), 0)::UBIGINT AS statements,
    -- Text in literals has its quotes escaped, so that it cannot pass for a call.
    array_to_string(regexp_extract_all(j::VARCHAR, '"function_name":"([^"]+)"', 1), ' ') AS functions,
    coalesce(json_array_length(j, '$.statements[0].node.select_list'), 0)::UBIGINT AS items,
    j ->> '$.statements[0].node.from_table.type' AS source
FROM parsed
