-- id: fairness/item_groups
-- params: none
-- reads: temp.recscope_rows, temp.recscope_lists
-- returns: items BIGINT, split BIGINT
-- grain: one row: items, and items that occur in more than one group (rows without an item count as split)
SELECT
    count(*) AS items,
    count(*) FILTER (item IS NULL OR lowest <> highest) AS split
FROM (
    SELECT item, min(lists.group_number) AS lowest, max(lists.group_number) AS highest
    FROM temp.recscope_rows AS rows
    JOIN temp.recscope_lists AS lists ON lists.list = rows.list
    GROUP BY item
)
