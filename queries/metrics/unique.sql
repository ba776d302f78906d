-- id: metrics/unique
-- params: none
-- reads: temp.recscope_rows
-- returns: makes TEMP recscope_unique, with the columns of recscope_rows
-- grain: one row per list and item, the best-ranked; rows without an item all stay
CREATE OR REPLACE TEMP TABLE recscope_unique AS
SELECT *
FROM temp.recscope_rows
QUALIFY item IS NULL
    OR row_number() OVER (
        PARTITION BY list, item
        ORDER BY shown DESC, score DESC NULLS LAST, tie_position ASC NULLS LAST, gain DESC NULLS LAST, label DESC NULLS LAST, seq
    ) = 1
