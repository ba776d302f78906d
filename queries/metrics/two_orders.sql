-- id: metrics/two_orders
-- params: none
-- reads: temp.recscope_extras
-- returns: list UINTEGER, score DOUBLE, other DOUBLE, rank DOUBLE, other_rank DOUBLE
-- grain: one row per list and item with either score; NULL where it has none; ties by item, descending
WITH scored AS (
    SELECT list, item, max(score) AS score, max(other) AS other
    FROM temp.recscope_extras
    WHERE item IS NOT NULL AND (score IS NOT NULL OR other IS NOT NULL)
    GROUP BY list, item
)
SELECT
    list,
    score,
    other,
    CASE WHEN score IS NOT NULL THEN row_number() OVER (
        PARTITION BY list ORDER BY score DESC NULLS LAST, item DESC
    ) END::DOUBLE AS rank,
    CASE WHEN other IS NOT NULL THEN row_number() OVER (
        PARTITION BY list ORDER BY other DESC NULLS LAST, item DESC
    ) END::DOUBLE AS other_rank
FROM scored
ORDER BY list, rank NULLS LAST, other_rank
