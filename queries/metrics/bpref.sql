-- id: metrics/bpref
-- params: none
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, bpref DOUBLE
-- grain: one row per list with a relevant item
WITH judged AS (
    SELECT
        list,
        relevant AND rank IS NOT NULL AS found,
        -- Not count(*) FILTER: with a running frame DuckDB counts that anew for every row.
        sum(CASE WHEN relevant THEN 0 ELSE 1 END) OVER (
            PARTITION BY list ORDER BY rank ASC NULLS LAST ROWS UNBOUNDED PRECEDING
        )::DOUBLE AS above,
        (sum(CASE WHEN relevant THEN 1 ELSE 0 END) OVER (PARTITION BY list))::DOUBLE AS relevant_items,
        (sum(CASE WHEN relevant THEN 0 ELSE 1 END) OVER (PARTITION BY list))::DOUBLE AS other_items
    FROM temp.recscope_ranked
    WHERE judged
)
SELECT
    list,
    coalesce(sum(
        CASE WHEN above = 0 THEN 1
             ELSE 1 - least(above, relevant_items) / least(other_items, relevant_items) END
    ) FILTER (found), 0) / any_value(relevant_items) AS bpref
FROM judged
WHERE relevant_items > 0
GROUP BY list
