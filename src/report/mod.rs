//! report: to be filled.
