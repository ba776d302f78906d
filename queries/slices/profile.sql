-- id: slices/profile
-- params: {column} of recscope_sliced
-- reads: temp.recscope_sliced
-- returns: nulls BIGINT, distinct_values BIGINT
-- grain: one row; the number of distinct values is an estimate
SELECT
    count(*) - count({column}) AS nulls,
    approx_count_distinct({column}) AS distinct_values
FROM temp.recscope_sliced
