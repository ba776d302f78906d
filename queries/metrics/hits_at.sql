-- id: metrics/hits_at
-- params: $k cut-off, $patience of rbp
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, precision DOUBLE, recall DOUBLE, hit DOUBLE, f1 DOUBLE, mrr DOUBLE, rbp DOUBLE
-- grain: one row per list; recall is NULL without a relevant item
SELECT
    list,
    hits / $k::DOUBLE AS precision,
    hits / nullif(relevant_items, 0) AS recall,
    (hits > 0)::DOUBLE AS hit,
    2 * hits / ($k::DOUBLE + relevant_items) AS f1,
    coalesce(1 / first_hit, 0) AS mrr,
    (1 - $patience) * coalesce(discounted, 0) AS rbp
FROM (
    SELECT
        list,
        count(*) FILTER (relevant) AS relevant_items,
        count(*) FILTER (relevant AND rank <= $k) AS hits,
        min(rank) FILTER (relevant AND rank <= $k) AS first_hit,
        sum(pow($patience, rank - 1)) FILTER (relevant AND rank <= $k) AS discounted
    FROM temp.recscope_ranked
    GROUP BY list
)
