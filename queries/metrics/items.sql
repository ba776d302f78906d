-- id: metrics/items
-- params: {from} relation, {=item} role as an expression over `source`
-- reads: {from}, unfiltered: the catalogue
-- returns: makes TEMP recscope_items (item, number)
-- grain: one row per item, numbered from 0
CREATE OR REPLACE TEMP TABLE recscope_items AS
SELECT item, CAST(row_number() OVER (ORDER BY item) - 1 AS UINTEGER) AS number
FROM (SELECT DISTINCT CAST({=item} AS VARCHAR) AS item FROM {from} AS source)
WHERE item IS NOT NULL
