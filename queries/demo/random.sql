-- id: demo/random
-- params: none
-- reads: nothing
-- returns: nothing; defines the macro `draw(what, key)`: a uniform number in [0, 1) that depends only on its arguments
-- grain: none
-- Hashes instead of random(): the same log on any number of threads, and a fault switched off
-- changes only what the fault touches.
CREATE OR REPLACE TEMP MACRO draw(what, key) AS (hash(what || '/' || key::VARCHAR || '/' || getvariable('demo_seed')::VARCHAR) >> 11)::DOUBLE / 9007199254740992.0
