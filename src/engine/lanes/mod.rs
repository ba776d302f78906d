//! lanes: to be filled.
