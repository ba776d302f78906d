//! store: to be filled.
