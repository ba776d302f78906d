-- id: slices/describe
-- params: {from} relation
-- reads: {from}
-- returns: name VARCHAR, type VARCHAR
-- grain: one row per column, in the relation's order
SELECT column_name AS name, column_type AS type
FROM (DESCRIBE {from})
