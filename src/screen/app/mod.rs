//! app: to be filled.
