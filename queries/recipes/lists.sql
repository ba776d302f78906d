-- id: recipes/lists
-- params: none
-- reads: temp.recscope_rows
-- returns: list
-- grain: one row per list
SELECT DISTINCT list
FROM temp.recscope_rows
