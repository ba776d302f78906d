-- id: store/rows_of_texts
-- params: {rows} snapshot, {like} table whose columns are {columns}, {columns} columns of both, $most rows at most
-- reads: {rows}, {like}
-- returns: row BIGINT (the snapshot's row id), then {columns}
-- grain: one row per row of {rows} whose {columns} equal those of a row of {like}, in its order
SELECT r.rowid AS row, {columns}
FROM cells.main.{rows} r
SEMI JOIN cells.main.{like} l USING ({columns})
ORDER BY r.rowid
LIMIT $most
