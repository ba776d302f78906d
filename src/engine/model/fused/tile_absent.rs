//! Stands in for `tile.rs` on processors that are not x86-64: the same sizes, no tile.

/// Rows that buffers are rounded up to.
pub const ROWS: usize = 12;
/// Columns that strides are rounded up to.
pub const WIDTH: usize = 32;
