-- id: metrics/inferred
-- params: $relevant_at gain
-- reads: temp.recscope_ranked, temp.recscope_extras
-- returns: list UINTEGER, infap DOUBLE
-- grain: one row per list with a relevant item; e = 0.00001 as in trec_eval
WITH pooled AS (
    SELECT list, item, max(grade) AS grade
    FROM temp.recscope_extras
    WHERE grade IS NOT NULL AND item IS NOT NULL
    GROUP BY list, item
),
walked AS (
    SELECT
        ranked.list,
        ranked.rank,
        grade >= $relevant_at AS relevant,
        -- Not count(*) FILTER: with a running frame DuckDB counts that anew for every row.
        coalesce(sum(CASE WHEN grade >= $relevant_at THEN 1 ELSE 0 END) OVER above, 0)::DOUBLE AS relevant_above,
        coalesce(sum(CASE WHEN grade >= 0 AND grade < $relevant_at THEN 1 ELSE 0 END) OVER above, 0)::DOUBLE AS others_above,
        coalesce(sum(CASE WHEN grade < $relevant_at AND grade < 0 THEN 1 ELSE 0 END) OVER above, 0)::DOUBLE AS unjudged_above
    FROM temp.recscope_ranked AS ranked
    JOIN pooled ON pooled.list = ranked.list AND pooled.item = ranked.item
    WHERE ranked.rank IS NOT NULL
    WINDOW above AS (
        PARTITION BY ranked.list ORDER BY ranked.rank ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
totals AS (
    SELECT list, count(*) AS relevant_items FROM temp.recscope_ranked WHERE relevant GROUP BY list
),
summed AS (
    SELECT
        list,
        sum(
            CASE WHEN rank = 1 THEN 1 ELSE
                1 / rank::DOUBLE
                + (rank - 1) / rank::DOUBLE
                * ((relevant_above + others_above + unjudged_above) / (rank - 1))
                * ((relevant_above + 0.00001::DOUBLE) / (relevant_above + others_above + 0.00002::DOUBLE))
            END
        ) AS precisions
    FROM walked
    WHERE relevant
    GROUP BY list
)
SELECT totals.list, coalesce(precisions, 0) / relevant_items AS infap
FROM totals
LEFT JOIN summed ON summed.list = totals.list
