-- id: supply/places
-- params: $k cut-off
-- reads: temp.recscope_rows with the struct `policy`, temp.recscope_lists
-- returns: list UINTEGER, length UINTEGER, place UINTEGER
-- grain: per list, those without a row included, one row with place 0, and one per row of it within the cut-off; length is that of the query's whole list, at most $k; in order
WITH placed AS (
    SELECT logged.list, lists.query_number, lists.user_number, logged.policy.place AS place
    FROM temp.recscope_rows AS logged
    JOIN temp.recscope_lists AS lists ON lists.list = logged.list
),
lengths AS (
    SELECT query_number, user_number, CAST(least(coalesce(max(place), 0), $k) AS UINTEGER) AS length
    FROM placed
    GROUP BY ALL
)
SELECT list, length, CAST(place AS UINTEGER) AS place
FROM placed
JOIN lengths USING (query_number, user_number)
WHERE place >= 1 AND place <= $k
UNION ALL
SELECT lists.list, length, CAST(0 AS UINTEGER) AS place
FROM temp.recscope_lists AS lists
JOIN lengths USING (query_number, user_number)
ORDER BY list, place
