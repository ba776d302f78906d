//! explain: to be filled.
