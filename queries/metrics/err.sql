-- id: metrics/err
-- params: $k cut-off, $top gain that is certain to satisfy but for 1 in 2^$top
-- reads: temp.recscope_ranked, temp.recscope_lists
-- returns: list UINTEGER, err DOUBLE
-- grain: one row per list
WITH stops AS (
    SELECT list, rank, (pow(2, gain) - 1) / pow(2, $top) AS stop
    FROM temp.recscope_ranked
    WHERE rank <= $k AND gain > 0
),
reached AS (
    SELECT
        list,
        rank,
        stop,
        coalesce(product(1 - stop) OVER (
            PARTITION BY list ORDER BY rank ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 1) AS reach
    FROM stops
),
summed AS (
    SELECT list, sum(stop * reach / rank) AS err FROM reached GROUP BY list
)
SELECT lists.list, coalesce(summed.err, 0) AS err
FROM temp.recscope_lists AS lists
LEFT JOIN summed ON summed.list = lists.list
