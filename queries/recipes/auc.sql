-- id: recipes/auc
-- params: {=side} in the slice or not
-- reads: temp.recscope_values
-- returns: side BOOLEAN, value DOUBLE, n BIGINT
-- grain: one row per side: how often a positive outscores a negative, ties counting half
WITH scores AS (
    SELECT
        {=side} AS side,
        score,
        count(*) FILTER (label)::DOUBLE AS positives,
        count(*) FILTER (NOT label)::DOUBLE AS negatives
    FROM temp.recscope_values
    GROUP BY 1, 2
),
beaten AS (
    SELECT
        side,
        positives,
        negatives,
        sum(negatives) OVER (PARTITION BY side ORDER BY score) - negatives / 2 AS worse
    FROM scores
)
SELECT
    side,
    sum(positives * worse) / nullif(sum(positives) * sum(negatives), 0) AS value,
    sum(positives + negatives)::BIGINT AS n
FROM beaten
GROUP BY side
