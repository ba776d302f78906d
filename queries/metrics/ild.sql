-- id: metrics/ild
-- params: $k cut-off
-- reads: temp.recscope_ranked
-- returns: list UINTEGER, ild DOUBLE
-- grain: one row per list that shows at least two items with words
WITH words AS (
    SELECT
        list,
        rank,
        list_distinct(regexp_extract_all(lower(text), '\p{Han}|[^\p{Han}\s\p{P}\p{S}\p{Z}\p{C}]+')) AS words
    FROM temp.recscope_ranked
    WHERE rank <= $k AND text IS NOT NULL
),
pairs AS (
    SELECT
        a.list,
        len(list_intersect(a.words, b.words)) AS common,
        len(a.words) + len(b.words) AS both_sides
    FROM words AS a
    JOIN words AS b ON a.list = b.list AND a.rank < b.rank
    WHERE len(a.words) > 0 AND len(b.words) > 0
)
SELECT list, avg(1 - common / (both_sides - common)) AS ild
FROM pairs
GROUP BY list
