-- id: metrics/novelty
-- params: $k cut-off
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, novelty DOUBLE
-- grain: one row per list that shows something
WITH popularity AS (
    SELECT item, count(DISTINCT list) / (SELECT count(DISTINCT list) FROM temp.recscope_ranked WHERE rank IS NOT NULL) AS share
    FROM temp.recscope_ranked
    WHERE rank IS NOT NULL AND item IS NOT NULL
    GROUP BY item
)
SELECT ranked.list, avg(-log2(popularity.share)) AS novelty
FROM temp.recscope_ranked AS ranked
JOIN popularity ON popularity.item = ranked.item
WHERE ranked.rank <= $k
GROUP BY ranked.list
