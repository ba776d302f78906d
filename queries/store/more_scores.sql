-- id: store/more_scores
-- params: {out} table that store/arrived_scores made, {rows} snapshot that has no column `rowid`, {scores} table whose first column `row` is the snapshot's row id, {columns} further columns of {scores}, $since rows of {scores} that are in {out}
-- reads: {rows}, {scores}
-- returns: rows changed; appends to {out}
-- grain: one row per row of {rows} whose score has arrived since, in its order
INSERT INTO cells.main.{out}
SELECT r.* EXCLUDE (__row), s.* EXCLUDE (row)
FROM (SELECT rowid AS __row, * FROM cells.main.{rows}) r
JOIN (SELECT row, {columns} FROM cells.main.{scores} WHERE rowid >= $since) s ON s.row = r.__row
ORDER BY r.__row
