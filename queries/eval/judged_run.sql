-- id: eval/judged_run
-- params: {out} TEMP table to make; {run}, {run_query}, {run_item}, {run_score} ranked results; {qrels}, {qrels_query}, {qrels_item}, {qrels_gain} judgments
-- reads: {run}, {qrels}
-- returns: query VARCHAR, item VARCHAR, score DOUBLE (NULL: not retrieved), gain as {qrels} has it (NULL: not judged), place BIGINT
-- grain: one row per query and item of either file (copies all stay, in order), of the judged queries
CREATE OR REPLACE TEMP TABLE {out} AS
WITH ranked AS (
    SELECT {run_query}::VARCHAR AS query, {run_item}::VARCHAR AS item, {run_score}::DOUBLE AS score,
           row_number() OVER () AS place
    FROM {run}
),
judged AS (
    SELECT {qrels_query}::VARCHAR AS query, {qrels_item}::VARCHAR AS item, {qrels_gain} AS gain,
           row_number() OVER () AS judged_place
    FROM {qrels}
)
SELECT query, item, ranked.score AS score, judged.gain AS gain, ranked.place AS place
FROM ranked FULL JOIN judged USING (query, item)
WHERE query IN (SELECT query FROM judged)
ORDER BY place NULLS LAST, judged_place NULLS LAST
