-- id: metrics/scores
-- params: none
-- reads: temp.recscope_rows
-- returns: list UINTEGER, score DOUBLE, label BOOLEAN
-- grain: one row per row with score and label, by list
SELECT list, score, label
FROM temp.recscope_rows
WHERE score IS NOT NULL AND label IS NOT NULL
ORDER BY list, score, label
