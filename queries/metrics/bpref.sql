-- id: metrics/bpref
-- params: none
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, bpref DOUBLE
-- grain: one row per list with a relevant item
WITH judged AS (
    SELECT
        list,
        relevant AND rank IS NOT NULL AS found,
        count(*) FILTER (NOT relevant) OVER (
            PARTITION BY list ORDER BY rank ASC NULLS LAST ROWS UNBOUNDED PRECEDING
        ) AS above,
        count(*) FILTER (relevant) OVER (PARTITION BY list) AS relevant_items,
        count(*) FILTER (NOT relevant) OVER (PARTITION BY list) AS other_items
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
