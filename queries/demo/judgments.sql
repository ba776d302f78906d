-- id: demo/judgments
-- params: none
-- reads: demo_queries, demo_items, the macro draw
-- returns: table demo_judgments(query, item_id, grade)
-- grain: one row per query and item of the same language
-- 3: category and wish; 2: category, no wish asked, fair match; 1: category, other wish; 0: another
-- category. A title that lists other categories does not make the item one of them.
CREATE OR REPLACE TEMP TABLE demo_judgments AS
SELECT
    q.query,
    i.item_id,
    CASE
        WHEN q.category <> i.category THEN 0
        WHEN q.attribute IS NULL AND draw('liked', q.query || i.item_id) < 0.5 THEN 3
        WHEN q.attribute IS NULL THEN 2
        WHEN q.attribute IN (i.colour, i.audience, i.feature) THEN 3
        ELSE 1
    END AS grade
FROM demo_queries AS q
JOIN demo_items AS i ON i.lang = q.lang
