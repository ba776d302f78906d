-- id: recipes/ece
-- params: {=side} in the slice or not
-- reads: temp.recscope_values
-- returns: side BOOLEAN, value DOUBLE, n BIGINT
-- grain: one row per side: mean distance of probability and frequency over the bins, by their rows
SELECT side, sum(gap) / nullif(sum(rows), 0) AS value, sum(rows)::BIGINT AS n
FROM (
    SELECT {=side} AS side, abs(sum(p) - sum(label)) AS gap, sum(rows) AS rows
    FROM temp.recscope_values
    GROUP BY 1, bin
)
GROUP BY side
