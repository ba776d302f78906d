-- id: eval/judged_run
-- params: {out} TEMP table to make; {run}, {run_query}, {run_item}, {run_score} ranked results; {judged} what eval/judgments made
-- reads: {run}, {judged}
-- returns: makes TEMP {out}: query VARCHAR, item VARCHAR, score DOUBLE (NULL: not retrieved), gain as the judgments have it (NULL: not judged), place BIGINT
-- grain: one row per query and item of either file (copies in the run all stay, in order), of the queries with a grade
CREATE OR REPLACE TEMP TABLE {out} AS
WITH ranked AS (
    SELECT {run_query}::VARCHAR AS query, {run_item}::VARCHAR AS item, {run_score}::DOUBLE AS score,
           row_number() OVER () AS place
    FROM {run}
),
judged AS (SELECT query, item, gain, place AS judged_place FROM {judged})
SELECT query, item, ranked.score AS score, judged.gain AS gain, ranked.place AS place
FROM ranked FULL JOIN judged USING (query, item)
WHERE query IN (SELECT query FROM {judged} WHERE gain IS NOT NULL)
ORDER BY place NULLS LAST, judged_place NULLS LAST
