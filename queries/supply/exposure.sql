-- id: supply/exposure
-- params: $k cut-off, $patience of the geometric reader
-- reads: temp.recscope_rows with the struct `policy`
-- returns: list UINTEGER, rows DOUBLE, relevant DOUBLE, logarithmic DOUBLE, geometric DOUBLE, utility DOUBLE, labelled_utility DOUBLE, clicks DOUBLE, labelled_relevant DOUBLE
-- grain: one row per list: rows, rows with gain > 0, attention of the rows within the cut-off by both rules, sum of gains above 0; of labelled rows the gains, the clicks and the number with gain > 0
WITH placed AS (
    SELECT
        list,
        greatest(coalesce(gain, 0), 0) AS gain,
        label,
        CASE WHEN policy.place >= 1 AND policy.place <= $k THEN policy.place END AS place
    FROM temp.recscope_rows
)
SELECT
    list,
    count(*)::DOUBLE AS rows,
    count(*) FILTER (gain > 0)::DOUBLE AS relevant,
    coalesce(sum(1 / log2(place + 1)), 0)::DOUBLE AS logarithmic,
    coalesce(sum(pow($patience, place - 1)), 0)::DOUBLE AS geometric,
    sum(gain)::DOUBLE AS utility,
    coalesce(sum(gain) FILTER (label IS NOT NULL), 0)::DOUBLE AS labelled_utility,
    count(*) FILTER (label)::DOUBLE AS clicks,
    count(*) FILTER (label IS NOT NULL AND gain > 0)::DOUBLE AS labelled_relevant
FROM placed
GROUP BY list
