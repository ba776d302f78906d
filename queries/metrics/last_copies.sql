-- id: metrics/last_copies
-- params: {from} relation, {keys} columns that make a row one and the same, {item} the item's column
-- reads: {from}
-- returns: makes TEMP recscope_last, with the columns of {from}
-- grain: one row per combination of {keys}, the last in order of appearance; rows without an item all stay
CREATE OR REPLACE TEMP TABLE recscope_last AS
SELECT * EXCLUDE (recscope_place)
FROM (SELECT *, row_number() OVER () AS recscope_place FROM {from})
QUALIFY {item} IS NULL OR recscope_place = max(recscope_place) OVER (PARTITION BY {keys})
