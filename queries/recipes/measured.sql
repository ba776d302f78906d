-- id: recipes/measured
-- params: {=side} in the slice or not, {=value} and {=n} aggregates over recscope_values
-- reads: temp.recscope_values
-- returns: side BOOLEAN, value DOUBLE, n
-- grain: one row per side
SELECT {=side} AS side, {=value} AS value, {=n} AS n
FROM temp.recscope_values
GROUP BY 1
