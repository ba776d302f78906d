-- id: demo/judged
-- params: none
-- reads: demo_judgments, demo_items, the macro draw
-- returns: table demo_judged(query, title, grade)
-- grain: one row per sampled query and item
-- Lists as a search would show them: mostly of the right category, some of another.
CREATE OR REPLACE TEMP TABLE demo_judged AS
SELECT j.query, i.title, j.grade
FROM demo_judgments AS j
JOIN demo_items AS i USING (item_id)
WHERE draw('bench', j.query || j.item_id) < CASE j.grade WHEN 0 THEN 0.02 WHEN 1 THEN 0.2 ELSE 0.3 END
