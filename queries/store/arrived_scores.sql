-- id: store/arrived_scores
-- params: {out} table to make, {rows} snapshot, {scores} table whose first column `row` is the snapshot's row id, {columns} further columns of {scores}
-- reads: {rows}, {scores}
-- returns: every column of {rows} in its order, then {columns}
-- grain: one row per row of {rows} whose score has arrived, in its order
CREATE OR REPLACE TABLE cells.main.{out} AS
SELECT r.* EXCLUDE (__row), s.* EXCLUDE (row)
FROM (SELECT row_number() OVER () - 1 AS __row, * FROM cells.main.{rows}) r
JOIN (SELECT row, {columns} FROM cells.main.{scores}) s ON s.row = r.__row
ORDER BY r.__row
