-- id: eval/shared_ids
-- params: {one}, {one_id} relation and column, {other}, {other_id} the others
-- reads: {one}, {other}
-- returns: n BIGINT
-- grain: one row: different ids of {one} that {other} has too
SELECT count(*) AS n FROM (SELECT DISTINCT {one_id}::VARCHAR AS id FROM {one}) AS ids
WHERE id IN (SELECT {other_id}::VARCHAR FROM {other})
