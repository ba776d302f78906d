//! Every `queries/**/*.sql`, embedded, and the filling of its slots. The syntax of a file is told in
//! `queries/README.md`; a test holds this table to the files on disk.
//!
//! One list per family, so that families grow without touching each other.

mod compare;
mod demo;
mod eval;
mod fairness;
mod fill;
mod metrics;
mod models;
mod policy;
mod readable;
mod recipes;
mod slices;
mod store;
mod supply;

use super::{Result, StoreError};

/// A registered statement: id is `family/name`, text is the whole file with its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    pub id: &'static str,
    pub file: &'static str,
}

/// `registered!("family": "a", "b")`: the files `queries/family/a.sql` and `b.sql`.
macro_rules! registered {
    ($family:literal: $($name:literal),* $(,)?) => {
        &[$($crate::engine::store::Query {
            id: concat!($family, "/", $name),
            file: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/", $family, "/", $name, ".sql")),
        }),*]
    };
}
pub(crate) use registered;

const FAMILIES: &[&[Query]] = &[
    store::QUERIES,
    eval::QUERIES,
    demo::QUERIES,
    metrics::QUERIES,
    fairness::QUERIES,
    models::QUERIES,
    slices::QUERIES,
    compare::QUERIES,
    policy::QUERIES,
    supply::QUERIES,
    recipes::QUERIES,
];

/// All registered statements.
pub fn queries() -> impl Iterator<Item = &'static Query> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The statement with this id; an unknown id is our own mistake.
pub fn query(id: &str) -> Result<&'static Query> {
    queries().find(|q| q.id == id).ok_or_else(|| {
        StoreError::bug(format!("no registered statement {id}"))
            .hint("add queries/<id>.sql and name it in src/engine/store/registry")
    })
}

impl Query {
    /// The statement without its header.
    pub fn text(&self) -> String {
        let is_header = |line: &&str| line.starts_with("--") || line.trim().is_empty();
        self.file.lines().skip_while(is_header).collect::<Vec<_>>().join("\n")
    }

    /// A line of the header: `id`, `params`, `reads`, `returns`, `grain`.
    pub fn header(&self, key: &str) -> Option<&'static str> {
        let start = format!("-- {key}:");
        self.file
            .lines()
            .take_while(|line| line.starts_with("--"))
            .find_map(|line| line.strip_prefix(&start))
            .map(str::trim)
    }
}
