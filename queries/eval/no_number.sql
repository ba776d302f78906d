-- id: eval/no_number
-- params: {rows} relation, {value} its column
-- reads: {rows}
-- returns: row BIGINT (from 1), value VARCHAR
-- grain: the first row whose value is no number, if any
SELECT row, value FROM (SELECT row_number() OVER () AS row, {value}::VARCHAR AS value FROM {rows})
WHERE value IS NOT NULL AND TRY_CAST(value AS DOUBLE) IS NULL ORDER BY row LIMIT 1
