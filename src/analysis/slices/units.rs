//! The values of the metric and the codes of the attributes, unit by unit: a unit is a list where the
//! metric has a value per list, and a row where it is a rate over rows.
//!
//! Rows come from the database in pieces, so that what is held at once does not grow with them; what is
//! kept is 28 bytes and one per attribute for each unit.

use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt8Type, UInt64Type};
use arrow::record_batch::RecordBatch;

use super::attributes::{Attribute, ROWS};
use super::sample::Measured;
use crate::analysis::metrics::columns::{counts, numbers};
use crate::analysis::metrics::evaluate::{keeps, notes};
use crate::analysis::metrics::prepared::{Facts, Prepared, within};
use crate::analysis::metrics::roles::Unit;
use crate::analysis::metrics::values::{Parts, measure};
use crate::analysis::metrics::{AnalysisError, Empty, Level, MetricId, Roles, Rows};
use crate::analysis::stats::Ratio;
use crate::analysis::{Bindings, Queries, SqlValue};
use crate::terms::quote_ident;
use crate::util::cancel::Cancel;

/// Rows that are fetched at once.
const PIECE: u64 = 500_000;

/// What is measured, and how.
pub(super) struct Measuring<'m> {
    pub rows: &'m Rows,
    pub id: &'m MetricId,
    pub empty: Empty,
    pub attributes: &'m [Attribute],
    pub cancel: &'m Cancel,
}

/// The measured units, and what the reader should know of them.
#[derive(Debug, Default)]
pub(super) struct Units {
    pub measured: Measured,
    /// Per attribute: units within which its value changes.
    pub varies: Vec<u64>,
    /// What units are clustered by: `users`, `queries`, `rows`.
    pub clusters: &'static str,
    pub notes: Vec<String>,
}

impl Measuring<'_> {
    /// `progress` is given the share of the rows that are done.
    pub fn run(
        &self,
        queries: &mut dyn Queries,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Units, AnalysisError> {
        let facts = self.facts(queries)?;
        match self.id.metric.level {
            Level::List => self.lists(queries, facts.rows, progress),
            Level::Row => self.rows(queries, facts, progress),
            Level::Catalogue => Err(self.no_values()),
        }
    }

    fn no_values(&self) -> AnalysisError {
        let what = format!("{} has no value per list or row, so it cannot be searched for slices", self.id);
        AnalysisError::request(what)
            .with_hint("take ndcg@10, mrr, ctr, accuracy, ...; a fairness cell takes any")
    }

    fn facts(&self, queries: &mut dyn Queries) -> Result<Facts, AnalysisError> {
        let score = self.rows.roles.score.as_deref().map_or_else(|| "NULL".to_owned(), quote_ident);
        let batch = queries.rows("slices/facts", &Bindings::new().expr("score", score))?;
        let probabilities = within(&batch, "lowest", "highest")?;
        let rows = counts(&batch, "rows")?.first().copied().unwrap_or_default();
        Ok(Facts { rows, probabilities, ..Facts::default() })
    }

    /// One unit per list. Attributes must not change within it.
    fn lists(
        &self,
        queries: &mut dyn Queries,
        rows: u64,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Units, AnalysisError> {
        let ids = std::slice::from_ref(self.id);
        let mut prepared = Prepared::new(queries, self.rows, &[], Unit::Query, keeps(ids))?;
        let values = measure(&mut prepared, self.id, self.empty)?;
        let Parts::Ratio(Ratio { numerator, denominator }) = values.parts else {
            return Err(self.no_values());
        };
        let mut units = Units { notes: notes(&prepared.facts, ids, self.rows), ..Units::default() };
        let wide = |numbers: &[u32]| numbers.iter().map(|&number| u64::from(number)).collect::<Vec<u64>>();
        let (query, user) = (wide(&prepared.lists.query), wide(&prepared.lists.user));
        let by_user = self.rows.roles.user.is_some() && nested(&query, &user);
        units.clusters = if by_user { "users" } else { "queries" };
        let mut codes = Codes::new(self.attributes.len(), numerator.len());
        for low in (0..rows).step_by(PIECE as usize) {
            self.cancel.check()?;
            progress(low as f64 / rows as f64);
            let (lists, low_row) = (self.lists_of(prepared.queries, low)?, low);
            let piece = self.piece(prepared.queries, low)?;
            codes.add(&piece, |row| lists.get(row.checked_sub(low_row)? as usize).copied().flatten())?;
        }
        units.varies = codes.varies;
        let n = values.support.iter().map(|&n| n as f32).collect();
        let key = if by_user { user } else { query };
        units.measured = Measured { x: numerator, w: denominator, n, key, codes: codes.columns };
        valued(&mut units.measured);
        Ok(units)
    }

    /// The list of each row of a piece.
    fn lists_of(&self, queries: &mut dyn Queries, low: u64) -> Result<Vec<Option<u32>>, AnalysisError> {
        let column = |role: &Option<String>| match role {
            Some(name) => format!("sliced.{}", quote_ident(name)),
            None => "NULL".to_owned(),
        };
        let roles = &self.rows.roles;
        let bindings = between(low).expr("query", column(&roles.query)).expr("user", column(&roles.user));
        let batch = queries.rows("slices/lists", &bindings)?;
        let mut lists = vec![None; PIECE as usize];
        for (row, list) in counts(&batch, "row")?.into_iter().zip(numbers(&batch, "list")?) {
            if let Some(slot) = row.checked_sub(low).and_then(|at| lists.get_mut(at as usize)) {
                *slot = Some(list);
            }
        }
        Ok(lists)
    }

    /// One unit per row: each is measured as a list of its own.
    fn rows(
        &self,
        queries: &mut dyn Queries,
        mut facts: Facts,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Units, AnalysisError> {
        let mut units = Units::default();
        let mut users: Vec<Option<u64>> = Vec::new();
        let mut columns = vec![Vec::new(); self.attributes.len()];
        let mut out = Measured::default();
        let single = Roles { query: Some("recscope_row".to_owned()), user: None, ..self.rows.roles.clone() };
        for low in (0..facts.rows).step_by(PIECE as usize) {
            self.cancel.check()?;
            progress(low as f64 / facts.rows as f64);
            let piece = self.piece(queries, low)?;
            let filter = format!("recscope_row >= {low} AND recscope_row < {}", low + PIECE);
            let rows = Rows { filter: Some(filter), roles: single.clone(), ..self.rows.clone() };
            let mut prepared =
                Prepared::new(queries, &rows, &[], Unit::Query, keeps(std::slice::from_ref(self.id)))?;
            // Whether scores are probabilities is decided by all rows, not by those of a piece.
            prepared.facts.probabilities = facts.probabilities;
            facts.bad_scores += prepared.facts.bad_scores;
            let values = measure(&mut prepared, self.id, self.empty)?;
            let Parts::Ratio(Ratio { numerator, denominator }) = values.parts else {
                return Err(self.no_values());
            };
            let mut codes = Codes::new(self.attributes.len(), numerator.len());
            codes.add(&piece, |row| u32::try_from(row.checked_sub(low)?).ok())?;
            let (query_keys, user_keys) = (keys(&piece, "query_key")?, keys(&piece, "user_key")?);
            for at in (0..numerator.len()).filter(|&at| denominator.get(at).is_some_and(|w| *w > 0.0)) {
                let of = |values: &[f64]| values.get(at).copied().unwrap_or_default();
                let by_row = (low + at as u64) << 1;
                let query = match &self.rows.roles.query {
                    Some(_) => query_keys.get(at).copied().flatten(),
                    None => Some(by_row),
                };
                let Some(query) = query else {
                    facts.unlisted += 1;
                    continue;
                };
                out.x.push(of(&numerator));
                out.w.push(of(&denominator));
                out.n.push(of(&values.support) as f32);
                out.key.push(query);
                users.push(user_keys.get(at).copied().flatten());
                for (column, codes) in columns.iter_mut().zip(&codes.columns) {
                    column.push(codes.get(at).copied().unwrap_or_default());
                }
            }
        }
        out.codes = columns;
        units.clusters = if self.rows.roles.query.is_some() { "queries" } else { "rows" };
        if self.rows.roles.user.is_some() {
            // Rows without a user stay with their query.
            let user: Vec<u64> =
                users.iter().zip(&out.key).map(|(user, &query)| user.unwrap_or(query)).collect();
            if self.rows.roles.query.is_none() || nested(&out.key, &user) {
                out.key = user;
                units.clusters = "users";
            }
        }
        units.notes = notes(&facts, std::slice::from_ref(self.id), self.rows);
        units.varies = vec![0; self.attributes.len()];
        units.measured = out;
        Ok(units)
    }

    fn piece(&self, queries: &mut dyn Queries, low: u64) -> Result<RecordBatch, AnalysisError> {
        let codes: Vec<String> = self.attributes.iter().map(Attribute::code).collect();
        // Not DuckDB's own hash, which another version may change: the halves are to stay what they are.
        let key = |role: &Option<String>| match role {
            Some(name) => format!("md5_number_lower(CAST({} AS VARCHAR))", quote_ident(name)),
            None => "NULL".to_owned(),
        };
        let bindings = between(low)
            .expr("codes", format!("[{}]", codes.join(",\n")))
            .expr("query_key", key(&self.rows.roles.query))
            .expr("user_key", key(&self.rows.roles.user));
        Ok(queries.rows("slices/codes", &bindings)?)
    }
}

fn between(low: u64) -> Bindings {
    let at = |row: u64| SqlValue::Int(i64::try_from(row).unwrap_or(i64::MAX));
    Bindings::new().value("low", at(low)).value("high", at(low + PIECE))
}

/// Keeps the units that have a value.
fn valued(measured: &mut Measured) {
    let keep: Vec<bool> = measured.w.iter().map(|w| *w > 0.0).collect();
    fn retain<T>(values: &mut Vec<T>, keep: &[bool]) {
        let mut is_kept = keep.iter();
        values.retain(|_| is_kept.next().copied().unwrap_or(false));
    }
    retain(&mut measured.x, &keep);
    retain(&mut measured.w, &keep);
    retain(&mut measured.n, &keep);
    retain(&mut measured.key, &keep);
    measured.codes.iter_mut().for_each(|column| retain(column, &keep));
}

/// Are queries sessions of users, several to a user? Then users are the witnesses.
fn nested(query: &[u64], user: &[u64]) -> bool {
    let mut owner: HashMap<u64, u64> = HashMap::new();
    let nested = query.iter().zip(user).all(|(&query, &user)| *owner.entry(query).or_insert(user) == user);
    let users: std::collections::HashSet<&u64> = owner.values().collect();
    nested && users.len() < owner.len()
}

/// Codes as they arrive, row by row, in columns by unit.
struct Codes {
    columns: Vec<Vec<u8>>,
    seen: Vec<bool>,
    varies: Vec<u64>,
}

impl Codes {
    fn new(attributes: usize, units: usize) -> Self {
        Self {
            columns: vec![vec![0; units]; attributes],
            seen: vec![false; units],
            varies: vec![0; attributes],
        }
    }

    /// `unit_of` a row's number; `None` for a row of no unit.
    fn add(
        &mut self,
        piece: &RecordBatch,
        unit_of: impl Fn(u64) -> Option<u32>,
    ) -> Result<(), AnalysisError> {
        let rows = counts(piece, "row")?;
        let column = column(piece, "codes")?;
        let lists = column.as_list_opt::<i32>().ok_or_else(|| wrong("codes"))?;
        let values = cast(lists.values(), &DataType::UInt8).map_err(|_| wrong("codes"))?;
        let values = values.as_primitive::<UInt8Type>().values();
        for (&row, ends) in rows.iter().zip(lists.value_offsets().windows(2)) {
            let Some(unit) = unit_of(row).map(|unit| unit as usize) else { continue };
            let &[from, to] = ends else { continue };
            let codes = values.get(from as usize..to as usize).unwrap_or_default();
            let first = self.seen.get(unit).is_some_and(|seen| !seen);
            for ((column, &code), varies) in self.columns.iter_mut().zip(codes).zip(&mut self.varies) {
                let Some(slot) = column.get_mut(unit) else { continue };
                if first {
                    *slot = code;
                } else if *slot != code {
                    *varies += 1;
                }
            }
            if let Some(seen) = self.seen.get_mut(unit) {
                *seen = true;
            }
        }
        Ok(())
    }
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b arrow::array::ArrayRef, AnalysisError> {
    batch.column_by_name(name).ok_or_else(|| wrong(name))
}

fn wrong(name: &str) -> AnalysisError {
    AnalysisError::Query(format!("slices/codes returns no usable column {name} of {ROWS}"))
}

fn keys(batch: &RecordBatch, name: &str) -> Result<Vec<Option<u64>>, AnalysisError> {
    let array = cast(column(batch, name)?, &DataType::UInt64).map_err(|_| wrong(name))?;
    let keys = array.as_primitive::<UInt64Type>();
    Ok((0..keys.len()).map(|at| keys.is_valid(at).then(|| keys.value(at))).collect())
}
