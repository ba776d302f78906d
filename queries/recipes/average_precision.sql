-- id: recipes/average_precision
-- params: {=side} in the slice or not
-- reads: temp.recscope_values
-- returns: side BOOLEAN, value DOUBLE, n BIGINT
-- grain: one row per side: precision at every score, weighted by the recall it adds; ties enter together
WITH scores AS (
    SELECT
        {=side} AS side,
        score,
        count(*) FILTER (label)::DOUBLE AS positives,
        count(*)::DOUBLE AS rows
    FROM temp.recscope_values
    GROUP BY 1, 2
),
reached AS (
    SELECT
        side,
        positives,
        rows,
        sum(positives) OVER (PARTITION BY side ORDER BY score DESC) AS found,
        sum(rows) OVER (PARTITION BY side ORDER BY score DESC) AS seen
    FROM scores
)
SELECT
    side,
    sum(positives * found / seen) / nullif(sum(positives), 0) AS value,
    sum(rows)::BIGINT AS n
FROM reached
GROUP BY side
