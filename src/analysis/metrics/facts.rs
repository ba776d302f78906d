//! What the database found of a request's rows: their lists, and what a reader should know of them. Which
//! relation is made when is for `prepared.rs` to know.

use arrow::record_batch::RecordBatch;

use super::AnalysisError;
use super::columns::{counts, numbers, one, texts};
use crate::analysis::{Bindings, Queries};

/// Lists times groups beyond which lists are not crossed with groups: they are held in memory.
const MOST_CROSSED: f64 = 20_000_000.0;

/// Which list belongs to what; all vectors are as long as there are lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Lists {
    /// Query of the list, numbered from 0 in ascending order: lists of a query are neighbours.
    pub query: Vec<u32>,
    pub user: Vec<u32>,
    pub group: Vec<u32>,
    /// By which rows that were not numbered find their list: a hash of query, user and slice.
    pub key: Vec<u64>,
    /// How many rows it has, repeated items included.
    pub rows: Vec<u32>,
    /// Values of the slice columns per group.
    pub groups: Vec<Vec<Option<String>>>,
}

/// What the reader should know of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Facts {
    pub rows: u64,
    pub shown: u64,
    pub unlisted: u64,
    pub bad_scores: u64,
    pub unjudged: u64,
    /// NaN: not known, or nothing is judged.
    pub largest_gain: f64,
    /// Do all scores lie within 0..=1?
    pub probabilities: bool,
    /// Surplus rows and tied rows; known once ranked.
    pub repeats: u64,
    pub tied: u64,
}

/// Gives every query a list for every group.
pub(super) fn cross(queries: &mut dyn Queries) -> Result<(), AnalysisError> {
    let size = queries.rows("metrics/crossed_size", &Bindings::new())?;
    let (owners, groups) = (one(&size, "owners")?, one(&size, "groups")?);
    if owners * groups > MOST_CROSSED {
        let message =
            format!("{groups} groups in {owners} lists are too many to look for every group in every list");
        return Err(AnalysisError::request(message)
            .with_hint("put rare groups together in an sql cell, or take the exposure metric"));
    }
    Ok(queries.run("metrics/cross_lists", &Bindings::new())?)
}

/// Of rows that were made.
pub(super) fn facts(queries: &mut dyn Queries, unlisted: u64) -> Result<Facts, AnalysisError> {
    let batch = queries.rows("metrics/facts", &Bindings::new())?;
    let count = |name: &str| -> Result<u64, AnalysisError> {
        Ok(counts(&batch, name)?.first().copied().unwrap_or_default())
    };
    Ok(Facts {
        rows: count("rows")?,
        shown: count("shown")?,
        unlisted,
        bad_scores: count("bad_scores")?,
        unjudged: count("unjudged")?,
        largest_gain: one(&batch, "largest_gain")?,
        probabilities: within(&batch, "lowest_score", "highest_score")?,
        ..Facts::default()
    })
}

/// Do all numbers from the lowest to the highest lie within 0..=1? Of no number, all do.
pub(crate) fn within(batch: &RecordBatch, lowest: &str, highest: &str) -> Result<bool, AnalysisError> {
    let (lowest, highest) = (one(batch, lowest)?, one(batch, highest)?);
    Ok(lowest.is_nan() || (lowest >= 0.0 && highest <= 1.0))
}

/// The lists as the database numbered them; `parts`: slice columns.
pub(super) fn lists(queries: &mut dyn Queries, parts: usize) -> Result<Lists, AnalysisError> {
    let index = queries.rows("metrics/list_index", &Bindings::new())?;
    let key = counts(&index, "key")?;
    let group = numbers(&index, "group_number")?;
    let groups = group.iter().max().map_or(0, |&last| last as usize + 1);
    let mut names = vec![vec![None; parts]; groups];
    if parts > 0 {
        let batch = queries.rows("metrics/groups", &Bindings::new())?;
        let (number, part) = (numbers(&batch, "group_number")?, numbers(&batch, "part")?);
        for ((number, part), value) in number.into_iter().zip(part).zip(texts(&batch, "value")?) {
            let slot = names.get_mut(number as usize).and_then(|parts| parts.get_mut(part as usize));
            if let Some(slot) = slot {
                *slot = value;
            }
        }
    }
    let (query, user) = (numbers(&index, "query_number")?, numbers(&index, "user_number")?);
    Ok(Lists { key, query, user, group, rows: numbers(&index, "rows")?, groups: names })
}
