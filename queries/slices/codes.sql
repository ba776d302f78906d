-- id: slices/codes
-- params: {=codes} a list of small numbers, {=query_key} and {=user_key} of recscope_sliced, $low and $high rows
-- reads: temp.recscope_sliced
-- returns: row BIGINT, query_key UBIGINT, user_key UBIGINT, codes UTINYINT[]
-- grain: one row per row from $low to before $high, in order; equal keys are equal queries or users
SELECT
    recscope_row AS row,
    CAST({=query_key} AS UBIGINT) AS query_key,
    CAST({=user_key} AS UBIGINT) AS user_key,
    CAST({=codes} AS UTINYINT[]) AS codes
FROM temp.recscope_sliced
WHERE recscope_row >= $low AND recscope_row < $high
ORDER BY recscope_row
