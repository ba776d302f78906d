//! A value as SQL of its own: the statements that make it, one after the other, for a reader who wants
//! to see, check or change how it comes about. Says which statements, not what their text is; runs none.
//!
//! The same statements that measure the metric, but for the first: lists are called by their query here,
//! not by a number, so that a query's value can be looked up.

mod figure;

use figure::Figure;

use super::measures::has_expectation;
use super::roles::{self, Unit};
use super::rules::threshold;
use super::{AnalysisError, Duplicates, Empty, MetricId, Rows, Ties, evaluate, policy, supply};
use crate::analysis::{Bindings, SqlValue};
use crate::terms::quote_ident;

/// One statement, and the name that others read its rows by.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `recscope_...`; what the last step makes is the result.
    pub table: String,
    /// A registered statement.
    pub statement: &'static str,
    pub bindings: Bindings,
    /// `$name` parameters that are SQL, not values.
    pub terms: Vec<(&'static str, String)>,
}

impl Step {
    fn new(table: &str, statement: &'static str, bindings: Bindings) -> Self {
        Self { table: table.to_owned(), statement, bindings, terms: Vec::new() }
    }
}

/// Which rows a value is about. The others count in what is known of all rows: an item's popularity, say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'p> {
    All,
    /// Those for which a predicate over the relation's columns holds.
    Slice(&'p str),
    /// The same, and the value of the others beside it.
    Gap(&'p str),
}

impl<'p> Part<'p> {
    fn predicate(self) -> Option<&'p str> {
        match self {
            Self::All => None,
            Self::Slice(predicate) | Self::Gap(predicate) => Some(predicate),
        }
    }
}

/// How one value, or the gap between a slice and the rest, comes about.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe<'r> {
    rows: &'r Rows,
    id: MetricId,
    empty: Empty,
    part: Part<'r>,
    /// Columns that lists are split by, as the cell splits them.
    by: &'r [String],
    figure: Figure,
}

/// The recipe of a metric over a part of these rows, of lists that the columns `by` split.
///
/// # Errors
///
/// Says which metrics have none: those that an algorithm in Rust measures.
pub fn recipe<'r>(
    rows: &'r Rows,
    id: &MetricId,
    empty: Empty,
    (part, by): (Part<'r>, &'r [String]),
) -> Result<Recipe<'r>, AnalysisError> {
    roles::require(id, rows)?;
    let by_algorithm = policy::reads(id) || supply::reads(id);
    let expected = rows.ties == Ties::Expected && has_expectation(id);
    let figure = if by_algorithm || expected { None } else { Figure::of(id, threshold(rows)) };
    let figure = figure.ok_or_else(|| {
        let with = if expected { " with expected ties" } else { "" };
        let message = format!("{id}{with} is not computed in SQL alone, so there is no cell to write");
        AnalysisError::request(message).with_hint("its formula: recscope docs metrics; Enter opens its rows")
    })?;
    Ok(Recipe { rows, id: *id, empty, part, by, figure })
}

impl Recipe<'_> {
    /// From the metric's own statement to the value. What they read is to be asked of [`Recipe::table`].
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = self.figure.values(self.rows, &self.id, self.empty);
        steps.push(self.figure.measured(self.side()));
        let shown = if matches!(self.part, Part::Gap(_)) { "recipes/gap" } else { "recipes/one" };
        steps.push(Step::new("", shown, Bindings::new().ident("metric", self.id.to_string())));
        steps
    }

    /// What makes a relation that a statement reads; `None` for the user's own.
    pub fn table(&self, name: &str) -> Option<Step> {
        let step = |statement, bindings| Some(Step::new(name, statement, bindings));
        match name {
            "recscope_last" => {
                let keys = [&self.rows.roles.query, &self.rows.roles.user, &self.rows.roles.item];
                let keys = keys.into_iter().flatten().cloned().collect();
                let item = self.rows.roles.item.clone()?;
                let from = Bindings::new().ident("from", &self.rows.from);
                step("metrics/last_copies", from.idents("keys", keys).ident("item", item))
            }
            "recscope_rows" => {
                let judged = roles::judged(&self.read(), &[], Unit::Query, self.keeps().text);
                step("recipes/rows", self.listed(judged))
            }
            "recscope_extras" => {
                let needs = self.keeps().needs;
                let extras = roles::extras(&self.read(), &[], Unit::Query, &needs);
                step("recipes/extras", self.listed(extras))
            }
            "recscope_lists" => step("recipes/lists", Bindings::new()),
            "recscope_unique" => step("metrics/unique", Bindings::new()),
            "recscope_ranked" => {
                let bindings = Bindings::new()
                    .ident("rows", if self.may_repeat() { "recscope_unique" } else { "recscope_rows" })
                    .expr("item", if self.keeps().items { "item" } else { "NULL" })
                    .value("relevant_at", SqlValue::Float(threshold(self.rows)));
                step("metrics/ranked", bindings)
            }
            "recscope_ideal" => step("metrics/ideal", Bindings::new()),
            "recscope_items" => step("metrics/items", roles::items(&self.read())),
            "recscope_popular" => step("metrics/popular", roles::popular(&self.read())),
            _ => None,
        }
    }

    fn keeps(&self) -> super::prepared::Kept {
        evaluate::keeps(std::slice::from_ref(&self.id))
    }

    /// The rows as statements read them: without copies where the last one is to stay.
    fn read(&self) -> Rows {
        let last = self.rows.rules.duplicates == Duplicates::Last && self.rows.roles.item.is_some();
        let from = if last { "recscope_last".to_owned() } else { self.rows.from.clone() };
        Rows { from, ..self.rows.clone() }
    }

    fn may_repeat(&self) -> bool {
        self.rows.rules.duplicates == Duplicates::Best && self.rows.roles.item.is_some()
    }

    /// Calls lists by their query (and user, and group, and side) instead of a number.
    fn listed(&self, mut bindings: Bindings) -> Bindings {
        bindings.exprs.retain(|(name, _)| !["query", "user", "slice", "policy"].contains(&name.as_str()));
        let roles = &self.rows.roles;
        let column = |name: &String| format!("source.{}", quote_ident(name));
        let query = roles.query.as_ref().map_or_else(|| "row_number() OVER ()".to_owned(), column);
        let mut parts = Vec::new();
        parts.extend(self.part.predicate().map(|slice| ("side", format!("coalesce(({slice}), FALSE)"))));
        parts.push(("query", query));
        parts.extend(roles.user.as_ref().map(|user| ("user", column(user))));
        if !self.by.is_empty() {
            parts.push(("group", roles::parts(self.by)));
        }
        let list = match parts.as_slice() {
            [(_, only)] => only.clone(),
            parts => {
                let parts: Vec<String> = parts.iter().map(|(name, sql)| format!("'{name}': {sql}")).collect();
                format!("{{{}}}", parts.join(", "))
            }
        };
        let named = roles.query.as_ref().map(|query| format!("{} IS NOT NULL", column(query)));
        bindings.expr("list", list).expr("named", named.unwrap_or_else(|| "TRUE".to_owned()))
    }

    fn side(&self) -> &'static str {
        if self.part.predicate().is_some() { "list['side']" } else { "TRUE" }
    }
}
