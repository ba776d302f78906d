-- id: demo/write
-- params: {rel} relation, $path file to write
-- reads: {rel}
-- returns: nothing; writes a Parquet file, replacing an older one
-- grain: one row per row of {rel}
COPY (FROM {rel}) TO $path (FORMAT parquet, COMPRESSION zstd)
