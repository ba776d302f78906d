-- id: metrics/drop
-- params: {table} one of the TEMP tables of this family
-- reads: nothing
-- returns: drops it
-- grain: none
DROP TABLE IF EXISTS temp.{table}
