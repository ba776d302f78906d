//! model: to be filled.
