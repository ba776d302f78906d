-- id: metrics/subtopics
-- params: none
-- reads: temp.recscope_ranked, temp.recscope_extras
-- returns: list UINTEGER, document UINTEGER, rank DOUBLE (NULL: not retrieved), subtopic UINTEGER
-- grain: one row per relevant item and subtopic that it covers, by list, then item
WITH categories AS (
    SELECT list, item, max(category) AS category
    FROM temp.recscope_extras
    WHERE category IS NOT NULL AND item IS NOT NULL
    GROUP BY list, item
),
covered AS (
    SELECT
        ranked.list,
        ranked.rank,
        ranked.item,
        -- A list of subtopics arrives as its text.
        unnest(CASE WHEN category LIKE '[%]' THEN list_distinct(regexp_split_to_array(category[2:-2], ' *, *'))
                    ELSE [category] END) AS subtopic
    FROM temp.recscope_ranked AS ranked
    JOIN categories ON categories.list = ranked.list AND categories.item = ranked.item
    WHERE ranked.relevant
)
SELECT
    list,
    CAST(dense_rank() OVER (PARTITION BY list ORDER BY item) - 1 AS UINTEGER) AS document,
    rank::DOUBLE AS rank,
    CAST(dense_rank() OVER (PARTITION BY list ORDER BY subtopic) - 1 AS UINTEGER) AS subtopic
FROM covered
WHERE subtopic <> ''
ORDER BY list, document, subtopic
