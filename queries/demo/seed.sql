-- id: demo/seed
-- params: $seed
-- reads: nothing
-- returns: nothing; sets the variable that `draw` mixes into every number
-- grain: none
SET VARIABLE demo_seed = $seed
