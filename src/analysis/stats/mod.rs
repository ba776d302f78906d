//! stats: to be filled.
