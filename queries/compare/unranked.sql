-- id: compare/unranked
-- params: none
-- reads: temp.recscope_rows
-- returns: lists BIGINT
-- grain: one row: lists of which nothing was retrieved
SELECT count(*) AS lists
FROM (SELECT list FROM temp.recscope_rows GROUP BY list HAVING NOT bool_or(shown))
