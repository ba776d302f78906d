//! Keys of cells that measure, beyond the roles of every log: money, categories, vectors, a second
//! score; and whose conventions a figure follows. Part of the CELLS table (`cells.rs`).

use super::keys::{KeyDef, KeyType};

/// Names of the presets, as `recscope docs metrics` tells them, and `all`.
pub const CONVENTIONS: &[&str] =
    &["recscope", "trec", "ir_measures", "ranx", "recbole", "esci-paper", "esci-script", "seed", "all"];

const fn column(name: &'static str, value: &'static str, doc: &'static str) -> KeyDef {
    KeyDef::new(name, KeyType::Column, value, doc).default("schema")
}

pub(super) const FURTHER_ROLES: &[KeyDef] = &[
    column("revenue", "\"paid\"", "column of the money that a row brought"),
    column("margin", "\"margin\"", "column of what remained of it"),
    column("category", "\"category\"", "column of the item's category or subtopics"),
    column("embedding", "\"vector\"", "column of the item's embedding, a list of numbers"),
    column("published", "\"created_at\"", "column of when the item was published"),
    column("other", "\"new_score\"", "column of a second score, to compare two orders of the rows"),
];

pub(super) const CONVENTION: &[KeyDef] = &[
    KeyDef::new(
        "convention",
        KeyType::Choice(CONVENTIONS),
        "\"trec\"",
        "whose rules for ties, gains, denominators, missing queries, unjudged items and duplicates; `all` shows every one and the queries that make them differ",
    )
    .default("\"recscope\""),
    KeyDef::new(
        "bounds",
        KeyType::Flag,
        "true",
        "also the worst and the best value that items without a judgment allow",
    )
    .default("false"),
];
