//! The store's own statements.

use super::super::Query;

pub(super) const QUERIES: &[Query] =
<<<<<<< HEAD
    super::registered!("store": "arrived_scores", "join_scores", "parse", "relations", "tables_of");
=======
    super::registered!("store": "extensions", "join_scores", "parse", "relations", "tables_of");
>>>>>>> f2897a8 (Command line: open, run, score, explain, eval, train, models, doctor, docs, completions)
