-- id: slices/edges
-- params: {column} of recscope_sliced
-- reads: temp.recscope_sliced
-- returns: edge VARCHAR
-- grain: the four quintiles of a column, ascending; none where all is NULL
SELECT CAST(unnest(quantile_disc({column}, [0.2, 0.4, 0.6, 0.8])) AS VARCHAR) AS edge
FROM temp.recscope_sliced
