//! ui: to be filled.
