//! The rows of a request, numbered and held in the database: lists, groups, ranks. Knows which
//! temporary relation is needed when, makes each once, and drops them all at the end.

use super::columns::{counts, numbers, one, texts};
use super::roles::{self, Unit};
use super::{AnalysisError, Need, Rows, rules};
use crate::analysis::{Bindings, Queries, SqlValue};

const TABLES: &[&str] = &[
    "recscope_judged",
    "recscope_rows",
    "recscope_unique",
    "recscope_ranked",
    "recscope_ideal",
    "recscope_items",
    "recscope_lists",
    "recscope_extras",
    "recscope_popular",
    "recscope_last",
];

/// Which list belongs to what; all vectors are as long as there are lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Lists {
    /// Query of the list, numbered from 0 in ascending order: lists of a query are neighbours.
    pub query: Vec<u32>,
    pub user: Vec<u32>,
    pub group: Vec<u32>,
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
    pub largest_gain: f64,
    /// Do all scores lie within 0..=1?
    pub probabilities: bool,
    /// Surplus rows and tied rows; known once ranked.
    pub repeats: u64,
    pub tied: u64,
}

/// What a row must keep beside its place in a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kept {
    pub items: bool,
    pub text: bool,
    /// Roles that metrics read; others are not even looked at.
    pub needs: Vec<Need>,
}

impl From<(bool, bool)> for Kept {
    fn from((items, text): (bool, bool)) -> Self {
        Self { items, text, needs: Vec::new() }
    }
}

pub(crate) struct Prepared<'q> {
    pub queries: &'q mut dyn Queries,
    pub lists: Lists,
    pub facts: Facts,
    rows: &'q Rows,
    slice: Vec<String>,
    unit: Unit,
    catalogue: Option<u64>,
    ranked: bool,
    ideal: bool,
    with_items: bool,
    needs: Vec<Need>,
    extras: bool,
    popular: bool,
    /// Where ranked rows come from, once ranked.
    unique: &'static str,
}

impl<'q> Prepared<'q> {
    /// Reads the rows once and numbers their lists. `items` and `text` say what ranked rows must keep.
    pub fn new(
        queries: &'q mut dyn Queries,
        rows: &'q Rows,
        slice: &[String],
        unit: Unit,
        kept: impl Into<Kept>,
    ) -> Result<Self, AnalysisError> {
        let Kept { items, text, needs } = kept.into();
        queries
            .run("metrics/judged", &roles::judged(rows, slice, unit, text))
            .map_err(|error| rules::unreadable(error.into(), rows))?;
        let none = Bindings::new();
        queries.run("metrics/lists", &none)?;
        queries.run("metrics/rows", &none)?;
        let unlisted = one(&queries.rows("metrics/unlisted", &none)?, "rows")? as u64;
        queries.run("metrics/drop", &Bindings::new().ident("table", "recscope_judged"))?;
        let facts = facts(queries, unlisted)?;
        let lists = lists(queries, slice.len())?;
        Ok(Self {
            queries,
            lists,
            facts,
            rows,
            slice: slice.to_vec(),
            unit,
            catalogue: None,
            ranked: false,
            ideal: false,
            with_items: items,
            needs,
            extras: false,
            popular: false,
            unique: "recscope_rows",
        })
    }

    pub fn rows(
        &mut self,
        id: &str,
        bindings: &Bindings,
    ) -> Result<arrow::array::RecordBatch, AnalysisError> {
        Ok(self.queries.rows(id, bindings)?)
    }

    /// Makes `recscope_ranked`, once.
    pub fn rank(&mut self) -> Result<(), AnalysisError> {
        if self.ranked {
            return Ok(());
        }
        let repeats = self.queries.rows("metrics/repeats", &Bindings::new())?;
        self.facts.repeats = one(&repeats, "rows")? as u64;
        self.facts.tied = one(&repeats, "tied")? as u64;
        let mut table = "recscope_rows";
        if self.facts.repeats > 0 {
            rules::refuse(self.rows, self.facts.repeats)?;
            self.queries.run("metrics/unique", &Bindings::new())?;
            table = "recscope_unique";
        }
        self.unique = table;
        let bindings = Bindings::new()
            .ident("rows", table)
            .expr("item", if self.with_items { "item" } else { "NULL" })
            .value("relevant_at", SqlValue::Float(rules::threshold(self.rows)));
        self.queries.run("metrics/ranked", &bindings)?;
        self.ranked = true;
        Ok(())
    }

    /// Makes `recscope_ideal`, once.
    pub fn order_ideally(&mut self) -> Result<(), AnalysisError> {
        self.rank()?;
        if !self.ideal {
            self.queries.run("metrics/ideal", &Bindings::new())?;
            self.ideal = true;
        }
        Ok(())
    }

    /// Makes `recscope_extras`, once: what few metrics read of a row.
    pub fn extras(&mut self) -> Result<(), AnalysisError> {
        if !self.extras {
            self.queries
                .run("metrics/extras", &roles::extras(self.rows, &self.slice, self.unit, &self.needs))?;
            self.extras = true;
        }
        Ok(())
    }

    /// Makes `recscope_popular`, once: clicks per item of the whole relation.
    pub fn popularity(&mut self) -> Result<(), AnalysisError> {
        self.rank()?;
        if !self.popular {
            self.queries.run("metrics/popular", &roles::popular(self.rows))?;
            self.popular = true;
        }
        Ok(())
    }

    /// The request's rows, and the relation that ranked rows were made of.
    pub fn asked(&self) -> (&'q Rows, &'static str) {
        (self.rows, self.unique)
    }

    /// Makes `recscope_items`, once; its size.
    pub fn catalogue(&mut self) -> Result<u64, AnalysisError> {
        if let Some(items) = self.catalogue {
            return Ok(items);
        }
        self.queries.run("metrics/items", &roles::items(self.rows))?;
        let items = one(&self.queries.rows("metrics/catalogue", &Bindings::new())?, "items")? as u64;
        self.catalogue = Some(items);
        Ok(items)
    }

    /// The probability of the positive class, over `score`.
    pub fn probability(&self) -> &'static str {
        if self.facts.probabilities { "score" } else { "1 / (1 + exp(-score))" }
    }
}

/// Drops what a computation left in the database; also after it failed.
pub(crate) fn clean(queries: &mut dyn Queries) {
    for table in TABLES {
        // The next CREATE OR REPLACE does not mind, so a failure here is of no consequence.
        let _ = queries.run("metrics/drop", &Bindings::new().ident("table", *table));
    }
}

fn facts(queries: &mut dyn Queries, unlisted: u64) -> Result<Facts, AnalysisError> {
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
        probabilities: one(&batch, "lowest_score")? >= 0.0 && one(&batch, "highest_score")? <= 1.0,
        ..Facts::default()
    })
}

fn lists(queries: &mut dyn Queries, parts: usize) -> Result<Lists, AnalysisError> {
    let index = queries.rows("metrics/list_index", &Bindings::new())?;
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
    Ok(Lists { query, user, group, groups: names })
}
