-- id: metrics/tie_groups
-- params: {rows} recscope_rows or recscope_unique, $relevant_at gain
-- reads: temp.{rows}
-- returns: list UINTEGER, items DOUBLE, relevant DOUBLE, linear DOUBLE, exponential DOUBLE
-- grain: one row per list and score of what it shows, best score first; sums over the items that share it
SELECT list, items, relevant, linear, exponential
FROM (
    SELECT
        list,
        score,
        count(*)::DOUBLE AS items,
        count(*) FILTER (gain >= $relevant_at)::DOUBLE AS relevant,
        sum(greatest(coalesce(gain, 0), 0)) AS linear,
        sum(pow(2, greatest(coalesce(gain, 0), 0)) - 1) AS exponential
    FROM temp.{rows}
    WHERE shown
    GROUP BY list, score
)
ORDER BY list, score DESC NULLS LAST
