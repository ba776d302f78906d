//! metrics: to be filled.
