-- id: metrics/ideal
-- params: none
-- reads: temp.recscope_ranked
-- returns: makes TEMP recscope_ideal (list, rank, gain)
-- grain: one row per item with gain, in the best possible order
CREATE OR REPLACE TEMP TABLE recscope_ideal AS
SELECT list, gain, row_number() OVER (PARTITION BY list ORDER BY gain DESC) AS rank
FROM temp.recscope_ranked
WHERE gain > 0
