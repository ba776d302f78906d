-- id: metrics/catalogue
-- params: none
-- reads: temp.recscope_items
-- returns: items BIGINT
-- grain: one row
SELECT count(*) AS items FROM temp.recscope_items
