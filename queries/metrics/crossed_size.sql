-- id: metrics/crossed_size
-- params: none
-- reads: temp.recscope_lists
-- returns: owners BIGINT, groups BIGINT
-- grain: one row: queries (with a user: of each user), and groups
SELECT
    count(DISTINCT hash(query, "user")) AS owners,
    count(DISTINCT group_number) AS groups
FROM temp.recscope_lists
