-- id: eval/joined
-- params: {out} TEMP table to make, {from} and {with} relations with the columns query and docid
-- reads: {from}, {with}
-- returns: makes {out}, the columns of both
-- grain: one row per pair of rows of the same query and docid
CREATE OR REPLACE TEMP TABLE {out} AS
SELECT * FROM {from} JOIN {with} USING (query, docid)
