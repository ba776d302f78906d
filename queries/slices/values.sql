-- id: slices/values
-- params: {column} of recscope_sliced, $least rows of a value, $most values
-- reads: temp.recscope_sliced
-- returns: value VARCHAR, rows BIGINT
-- grain: one row per frequent value, the most frequent first; NULL is none
SELECT CAST({column} AS VARCHAR) AS value, count(*) AS rows
FROM temp.recscope_sliced
WHERE {column} IS NOT NULL
GROUP BY {column}
HAVING count(*) >= $least
ORDER BY rows DESC, value
LIMIT $most
