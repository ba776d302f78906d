//! fairness: to be filled.
