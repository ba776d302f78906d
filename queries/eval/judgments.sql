-- id: eval/judgments
-- params: {out} TEMP table to make; {qrels}, {qrels_query}, {qrels_item}, {qrels_gain} judgments
-- reads: {qrels}
-- returns: makes TEMP {out}: query VARCHAR, item VARCHAR, gain as {qrels} has it (NULL: not judged), place BIGINT, copies BIGINT, grades BIGINT
-- grain: one row per query and item: the last grade counts; `grades` different ones were given in `copies` rows
CREATE OR REPLACE TEMP TABLE {out} AS
WITH judged AS (
    SELECT {qrels_query}::VARCHAR AS query, {qrels_item}::VARCHAR AS item,
           CASE WHEN isnan(coalesce(TRY_CAST({qrels_gain} AS DOUBLE), 0)) THEN NULL ELSE {qrels_gain} END AS gain,
           row_number() OVER () AS place
    FROM {qrels}
)
SELECT query, item, arg_max(gain, place) AS gain, min(place) AS place, count(*) AS copies,
       count(DISTINCT gain) AS grades
FROM judged GROUP BY query, item
