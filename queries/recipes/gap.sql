-- id: recipes/gap
-- params: {metric} what the value is called
-- reads: temp.recscope_measured
-- returns: {metric} DOUBLE, n BIGINT, rest DOUBLE, rest_n BIGINT, gap DOUBLE
-- grain: one row: the slice, what is outside of it, and the difference
SELECT
    max(value) FILTER (side) AS {metric},
    coalesce(max(n) FILTER (side), 0)::BIGINT AS n,
    max(value) FILTER (NOT side) AS rest,
    coalesce(max(n) FILTER (NOT side), 0)::BIGINT AS rest_n,
    max(value) FILTER (side) - max(value) FILTER (NOT side) AS gap
FROM temp.recscope_measured
