-- id: slices/rows
-- params: {from} relation, {=where} filter, {=columns} a struct of expressions over `source`
-- reads: {from}
-- returns: makes TEMP recscope_sliced: recscope_row BIGINT from 0, and a column per field of {=columns}
-- grain: one row per row of {from} that passes the filter; read once, so that every later step sees the same rows
CREATE OR REPLACE TEMP TABLE recscope_sliced AS
SELECT row_number() OVER () - 1 AS recscope_row, unnest({=columns})
FROM (SELECT * FROM {from} WHERE {=where}) AS source
