//! The rows of a request, numbered and held in the database: lists, groups, ranks. Knows which
//! temporary relation is needed when, makes each once, and drops them all at the end.

use super::columns::one;
pub(crate) use super::facts::{Facts, Lists, within};
use super::facts::{cross, facts, lists};
use super::measures::Reads;
use super::roles::{self, Unit};
use super::values::TOP_GAIN;
use super::{AnalysisError, Need, Rows, rules};
use crate::analysis::{Bindings, Queries, QueryError, SqlValue};
use crate::util::cancel::Cancel;

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
    "recscope_grown",
    "recscope_unanswered",
];

/// What a row must keep beside its place in a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kept {
    pub items: bool,
    pub text: bool,
    /// What the logging policy did.
    pub policy: bool,
    /// A list for every query and group, empty where there is no such row.
    pub crossed: bool,
    /// Roles that metrics read; others are not even looked at.
    pub needs: Vec<Need>,
}

impl From<(bool, bool)> for Kept {
    fn from((items, text): (bool, bool)) -> Self {
        Self { items, text, ..Self::default() }
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
    /// What makes `recscope_judged`, until it was made.
    judged: Option<Bindings>,
    has_rows: bool,
    unique: Option<&'static str>,
    ranked: bool,
    ideal: bool,
    with_items: bool,
    /// Looked at by work that is done in Rust; never set unless the caller hands its own in.
    pub cancel: Cancel,
    said: Vec<String>,
    needs: Vec<Need>,
    extras: bool,
    popular: bool,
}

impl<'q> Prepared<'q> {
    /// Reads the rows once and numbers their lists. `items`, `text` and `policy` say what rows
    /// must keep beside the rest.
    /// The rows stay where they are until a statement reads them; [`Facts`] are complete only then, or
    /// after a pass.
    pub fn new(
        queries: &'q mut dyn Queries,
        rows: &'q Rows,
        slice: &[String],
        unit: Unit,
        kept: impl Into<Kept>,
    ) -> Result<Self, AnalysisError> {
        let Kept { items, text, policy, crossed, needs } = kept.into();
        let from_zero = if policy { rules::from_zero(queries, rows)? } else { None };
        let logged = roles::policy(rows, policy, from_zero.is_some());
        let judged = roles::judged(rows, slice, unit, text).expr("policy", logged);
        let unreadable = |error: QueryError| rules::unreadable(error.into(), rows);
        // Rows are read twice rather than written once and read twice. A row that is a list of its own is
        // told by its place, which holds only within one statement: then they are written first.
        let placed = unit == Unit::Query && rows.roles.query.is_none();
        let mut keyed = roles::keyed(rows, slice, unit);
        if placed {
            queries.run("metrics/judged", &judged).map_err(unreadable)?;
            keyed = roles::judged_keyed();
        }
        queries.run("metrics/lists", &keyed)?;
        if crossed && !slice.is_empty() {
            cross(queries)?;
        }
        let unlisted = roles::only(&["where", "query"], keyed);
        let unlisted = one(&queries.rows("metrics/unlisted", &unlisted)?, "rows")? as u64;
        let lists = lists(queries, slice.len())?;
        Ok(Self {
            queries,
            lists,
            facts: Facts { unlisted, largest_gain: f64::NAN, ..Facts::default() },
            rows,
            slice: slice.to_vec(),
            unit,
            catalogue: None,
            judged: (!placed).then_some(judged),
            has_rows: false,
            unique: None,
            ranked: false,
            ideal: false,
            with_items: items,
            cancel: Cancel::new(),
            said: from_zero.into_iter().collect(),
            needs,
            extras: false,
            popular: false,
        })
    }

    /// Runs a statement over the prepared relations.
    pub fn rows(
        &mut self,
        id: &str,
        bindings: &Bindings,
    ) -> Result<arrow::array::RecordBatch, AnalysisError> {
        self.make_rows()?;
        Ok(self.queries.rows(id, bindings)?)
    }

    /// Do statements that stream rows name lists by number? Else by key.
    pub(super) fn rows_are_made(&self) -> bool {
        self.has_rows || self.judged.is_none()
    }

    /// The statement that streams the rows of lists, and what fills it; `exact`: with all that orders
    /// rows of one score, and with the items themselves.
    pub(super) fn streamed(&mut self, exact: bool) -> Result<(&'static str, Bindings), AnalysisError> {
        if self.rows_are_made() {
            self.make_rows()?;
            let statement = if exact { "metrics/exact_rows_of_lists" } else { "metrics/rows_of_lists" };
            return Ok((statement, Bindings::new()));
        }
        let keyed = roles::ranked(self.rows, roles::keyed(self.rows, &self.slice, self.unit));
        Ok(match exact {
            true => ("metrics/exact_rows", roles::ordered(self.rows, keyed)),
            false => ("metrics/list_rows", keyed),
        })
    }

    /// What a reader of the rows saw. Once they were made, the database has counted them itself.
    pub(super) fn told(&mut self, facts: Facts) {
        let Facts { repeats, tied, .. } = facts;
        self.facts = if self.has_rows { Facts { repeats, tied, ..self.facts } } else { facts };
    }

    /// Makes `recscope_rows`, once.
    pub(super) fn make_rows(&mut self) -> Result<(), AnalysisError> {
        if !self.has_rows {
            if let Some(judged) = self.judged.take() {
                let unreadable = |error: QueryError| rules::unreadable(error.into(), self.rows);
                self.queries.run("metrics/judged", &judged).map_err(unreadable)?;
            }
            self.queries.run("metrics/rows", &Bindings::new())?;
            self.queries.run("metrics/drop", &Bindings::new().ident("table", "recscope_judged"))?;
            let Facts { unlisted, repeats, tied, .. } = self.facts;
            self.facts = Facts { repeats, tied, ..facts(self.queries, unlisted)? };
            self.has_rows = true;
        }
        Ok(())
    }

    /// The relation in which every item stands once in its list.
    pub(super) fn unique(&mut self) -> Result<&'static str, AnalysisError> {
        if let Some(table) = self.unique {
            return Ok(table);
        }
        self.make_rows()?;
        let repeats = self.queries.rows("metrics/repeats", &Bindings::new())?;
        self.facts.repeats = one(&repeats, "rows")? as u64;
        self.facts.tied = one(&repeats, "tied")? as u64;
        let mut table = "recscope_rows";
        if self.facts.repeats > 0 {
            rules::refuse(self.rows, self.facts.repeats)?;
            self.queries.run("metrics/unique", &Bindings::new())?;
            table = "recscope_unique";
        }
        self.unique = Some(table);
        Ok(table)
    }

    /// Makes `recscope_ranked`, once.
    pub fn rank(&mut self) -> Result<(), AnalysisError> {
        if self.ranked {
            return Ok(());
        }
        let table = self.unique()?;
        let bindings = Bindings::new()
            .ident("rows", table)
            .expr("item", if self.with_items { "item" } else { "NULL" })
            .value("relevant_at", SqlValue::Float(rules::threshold(self.rows)));
        self.queries.run("metrics/ranked", &bindings)?;
        self.ranked = true;
        Ok(())
    }

    /// Makes what a statement reads.
    pub(super) fn make(&mut self, reads: Reads) -> Result<(), AnalysisError> {
        self.rank()?;
        match reads {
            Reads::Ranked => Ok(()),
            Reads::Ideal => self.order_ideally(),
            Reads::Extras => self.extras(),
            Reads::Popular => self.popularity(),
        }
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

    /// The relation that ranked rows were made of.
    pub fn ranked_from(&self) -> &'static str {
        self.unique.unwrap_or("recscope_rows")
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

    /// The rows asked for.
    pub fn asked(&self) -> &'q Rows {
        self.rows
    }

    /// Keeps a sentence that a measure owes its reader; once, however often it is said.
    pub fn say(&mut self, note: String) {
        if !self.said.contains(&note) {
            self.said.push(note);
        }
    }

    /// What measures had to say, in order.
    pub fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    /// The probability of the positive class, over `score`.
    pub fn probability(&mut self) -> Result<&'static str, AnalysisError> {
        self.make_rows()?;
        // A logit may be infinite: that is certainty. A probability is a number.
        let probability = "CASE WHEN isfinite(score) THEN score END";
        Ok(if self.facts.probabilities { probability } else { "1 / (1 + exp(-score))" })
    }

    /// The gain that ERR is certain of.
    pub fn top_gain(&mut self) -> Result<f64, AnalysisError> {
        if self.rows_are_made() {
            self.make_rows()?;
        } else {
            let keyed = roles::keyed(self.rows, &self.slice, self.unit);
            let judged = roles::only(&["where", "query", "gain"], roles::ranked(self.rows, keyed));
            let largest = self.queries.rows("metrics/largest_gain", &judged);
            let largest = largest.map_err(|error| rules::unreadable(error.into(), self.rows))?;
            self.facts.largest_gain = one(&largest, "largest_gain")?;
        }
        Ok(self.facts.largest_gain.max(TOP_GAIN))
    }

    /// Gain from which an item is relevant.
    pub fn relevant_at(&self) -> f64 {
        rules::threshold(self.rows)
    }
}

/// Drops what a computation left in the database; also after it failed.
pub(crate) fn clean(queries: &mut dyn Queries) {
    for table in TABLES {
        // The next CREATE OR REPLACE does not mind, so a failure here is of no consequence.
        let _ = queries.run("metrics/drop", &Bindings::new().ident("table", *table));
    }
}
