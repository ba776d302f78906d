-- id: fairness/item_groups
-- params: none
-- reads: temp.recscope_rows, temp.recscope_lists
-- returns: items BIGINT, split BIGINT, spread BIGINT
-- grain: one row: items, items that occur in more than one group (rows without an item count as split), items that occur for more than one query
SELECT
    count(*) AS items,
    count(*) FILTER (item IS NULL OR lowest <> highest) AS split,
    count(*) FILTER (first_query <> last_query) AS spread
FROM (
    SELECT
        item,
        min(lists.group_number) AS lowest,
        max(lists.group_number) AS highest,
        min(lists.query_number) AS first_query,
        max(lists.query_number) AS last_query
    FROM temp.recscope_rows AS rows
    JOIN temp.recscope_lists AS lists ON lists.list = rows.list
    GROUP BY item
)
