-- id: demo/training
-- params: none
-- reads: demo_queries, demo_items, demo_judgments, the macro draw
-- returns: table demo_training(query, title, label); label is 'relevant' or 'irrelevant'
-- grain: one row per sampled pair
-- Half relevant; the other half is other categories and, harder, the right category with another wish.
-- Made from a log without stuffed titles, so that the model has never seen one.
CREATE OR REPLACE TEMP TABLE demo_training AS
SELECT j.query, i.title, CASE WHEN j.grade >= 2 THEN 'relevant' ELSE 'irrelevant' END AS label
FROM demo_judgments AS j
JOIN demo_items AS i USING (item_id)
WHERE draw('train', j.query || j.item_id) < CASE j.grade WHEN 0 THEN 0.03 WHEN 1 THEN 0.4 ELSE 0.7 END
ORDER BY draw('shuffle', j.query || j.item_id)
