-- id: metrics/popularity
-- params: $k cut-off
-- reads: temp.recscope_ranked, temp.recscope_popular
-- returns: list UINTEGER, arp DOUBLE, longtail DOUBLE, serendipity DOUBLE
-- grain: one row per list that shows an item
WITH top AS (
    SELECT
        list,
        item,
        relevant,
        least($k, count(*) OVER (PARTITION BY list)) AS length
    FROM temp.recscope_ranked
    WHERE rank <= $k AND item IS NOT NULL
)
SELECT
    top.list,
    avg(popular.clicks) AS arp,
    avg(popular.tail::DOUBLE) AS longtail,
    avg((top.relevant AND popular.place > top.length)::DOUBLE) AS serendipity
FROM top
JOIN temp.recscope_popular AS popular ON popular.item = top.item
GROUP BY top.list
