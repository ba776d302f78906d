-- id: metrics/ideal_gain
-- params: $k cut-off
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, ndcg DOUBLE, ndcg_exp DOUBLE
-- grain: one row per list with any gain: the largest sum of discounted gains that its items allow
SELECT
    list,
    sum(gain / log2(rank + 1)) AS ndcg,
    sum((pow(2, gain) - 1) / log2(rank + 1)) AS ndcg_exp
FROM (
    SELECT list, gain, row_number() OVER (PARTITION BY list ORDER BY gain DESC) AS rank
    FROM temp.recscope_ranked
    WHERE gain > 0
)
WHERE rank <= $k
GROUP BY list
