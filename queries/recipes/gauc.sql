-- id: recipes/gauc
-- params: {=side} in the slice or not
-- reads: temp.recscope_values
-- returns: side BOOLEAN, value DOUBLE, n BIGINT
-- grain: one row per side: the AUC of each list that has both classes, weighted by its rows
WITH scores AS (
    SELECT
        list,
        score,
        count(*) FILTER (label)::DOUBLE AS positives,
        count(*) FILTER (NOT label)::DOUBLE AS negatives
    FROM temp.recscope_values
    GROUP BY 1, 2
),
beaten AS (
    SELECT
        list,
        positives,
        negatives,
        sum(negatives) OVER (PARTITION BY list ORDER BY score) - negatives / 2 AS worse
    FROM scores
),
lists AS (
    SELECT
        list,
        sum(positives * worse) / nullif(sum(positives) * sum(negatives), 0) AS auc,
        sum(positives + negatives) AS rows
    FROM beaten
    GROUP BY list
)
SELECT {=side} AS side, sum(auc * rows) / sum(rows) AS value, sum(rows)::BIGINT AS n
FROM lists
WHERE auc IS NOT NULL
GROUP BY 1
