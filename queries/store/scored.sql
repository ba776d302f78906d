-- id: store/scored
-- params: {out} view to make, {rows} source, {scores} table with one row per row of {rows}, in its order
-- reads: {rows}, {scores}
-- returns: every column of {rows}, then those of {scores}
-- grain: one row per row of {rows}, in its order; a side that is shorter is filled up with NULLs
CREATE OR REPLACE VIEW cells.main.{out} AS
SELECT r.*, s.*
FROM sources.main.{rows} r POSITIONAL JOIN cells.main.{scores} s
