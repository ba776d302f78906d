-- id: demo/texts
-- params: none
-- reads: demo_training
-- returns: text VARCHAR
-- grain: one row per query or title of a training pair, repeats included
SELECT unnest([query, title]) AS text FROM demo_training ORDER BY text
