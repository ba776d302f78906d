-- id: metrics/ages
-- params: $k cut-off
-- reads: temp.recscope_ranked, temp.recscope_extras
-- returns: list UINTEGER, freshness DOUBLE, age DOUBLE
-- grain: one row per list that shows an item with both times; days
WITH days AS (
    SELECT list, item, min(greatest(epoch(shown_at) - epoch(published), 0) / 86400.0) AS days
    FROM temp.recscope_extras
    WHERE published IS NOT NULL AND shown_at IS NOT NULL AND item IS NOT NULL
        AND isfinite(published) AND isfinite(shown_at)
    GROUP BY list, item
)
SELECT ranked.list, avg(pow(2, -days / 30)) AS freshness, avg(days) AS age
FROM temp.recscope_ranked AS ranked
JOIN days ON days.list = ranked.list AND days.item = ranked.item
WHERE ranked.rank <= $k
GROUP BY ranked.list
