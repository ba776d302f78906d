//! Metrics of a table that grows at its end while somebody watches: each round measures only the lists
//! that have new rows and keeps what is known of the others. The figures are those that [`super::evaluate`]
//! gives of the whole table.
//!
//! What is not here: metrics for which a list alone is not enough (catalogues, popularity, calibration
//! that must know whether scores are probabilities). [`Growing::can`] tells.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::columns::texts;
use super::evaluate::{groups, keeps, lines};
use super::prepared::{self, Lists, Prepared};
use super::roles::{self, Unit};
use super::values::{Values, measure_all};
use super::{AnalysisError, Duplicates, MetricId, MetricsRequest, MetricsTable, Rows, pass};
use crate::analysis::{Bindings, Queries, SqlValue};
use crate::util::cancel::Cancel;

/// Row metrics that add up list by list, whatever the scores are.
const BY_LIST: &[&str] = &["auc", "ap", "gauc", "ctr", "cvr", "purchase_rate"];

/// What a list is called in every round: query, user, group.
type Name = (Option<String>, Option<String>, u32);

/// What earlier rounds have measured; a new one for every table.
#[derive(Debug, Default)]
pub struct Growing {
    /// What was asked for; something else begins anew.
    request: Option<MetricsRequest>,
    /// Rows of the table that have been measured.
    rows: u64,
    names: HashMap<Name, u32>,
    queries: HashMap<Option<String>, u32>,
    groups: HashMap<Vec<Option<String>>, u32>,
    lists: Lists,
    values: Vec<Values>,
}

/// One round's lists and what was measured of them.
struct Round {
    lists: Lists,
    names: Vec<(Option<String>, Option<String>)>,
    values: Vec<Values>,
}

impl Growing {
    /// Can these metrics be measured list by list? The rows must have a query.
    pub fn can(request: &MetricsRequest) -> bool {
        let rows = &request.rows;
        let grows = |text: &String| {
            MetricId::parse(text).is_ok_and(|id| {
                // ERR's highest grade is that of all lists.
                pass::computes(&id, rows) && id.metric.id != "err" || BY_LIST.contains(&id.metric.id)
            })
        };
        let whole = request.bounds || request.per_list || rows.rules.duplicates == Duplicates::Last;
        rows.roles.query.is_some() && !whole && request.show.iter().all(grows)
    }

    /// The metrics of the table as it stands, with `rows` rows, of which the first are those of the last
    /// round. Lines are in order of their group's values; no notes. `request` is one that it [`can`];
    /// another than the last one, of a cell that was edited, begins with the first row. After an error
    /// the next round measures what this one did not.
    ///
    /// [`can`]: Growing::can
    pub fn measure(
        &mut self,
        queries: &mut dyn Queries,
        request: &MetricsRequest,
        rows: u64,
        cancel: &Cancel,
    ) -> Result<MetricsTable, AnalysisError> {
        if self.request.as_ref() != Some(request) {
            *self = Self { request: Some(request.clone()), ..Self::default() };
        }
        let ids = request.show.iter().map(|text| MetricId::parse(text)).collect::<Result<Vec<_>, _>>()?;
        ids.iter().try_for_each(|id| roles::require(id, &request.rows))?;
        let round = self.round(queries, request, &ids, cancel);
        prepared::clean(queries);
        self.take(round?);
        self.rows = rows;
        self.table(request, &ids, cancel)
    }

    /// Measures the lists that have new rows.
    fn round(
        &self,
        queries: &mut dyn Queries,
        request: &MetricsRequest,
        ids: &[MetricId],
        cancel: &Cancel,
    ) -> Result<Round, AnalysisError> {
        let grown = roles::only(&["where", "query"], roles::keyed(&request.rows, &[], Unit::Query));
        let since = SqlValue::Int(i64::try_from(self.rows).unwrap_or(i64::MAX));
        queries.run("metrics/grown", &grown.value("since", since))?;
        let rows = Rows { from: "recscope_grown".into(), ..request.rows.clone() };
        let mut prepared = Prepared::new(queries, &rows, &request.by, Unit::Query, keeps(ids))?;
        prepared.cancel = cancel.clone();
        let goes_on = &mut |_| Ok(cancel.check()?);
        let values = measure_all(&mut prepared, ids, (request.empty, false), goes_on)?;
        let names = prepared.queries.rows("metrics/list_names", &Bindings::new())?;
        let names = texts(&names, "query")?.into_iter().zip(texts(&names, "user")?);
        Ok(Round { names: names.collect(), lists: std::mem::take(&mut prepared.lists), values })
    }

    fn take(&mut self, round: Round) {
        let at = self.places(&round);
        if self.values.is_empty() {
            // The places of a first round are its own order.
            self.values = round.values;
            return;
        }
        let lists = self.lists.query.len();
        for (known, fresh) in self.values.iter_mut().zip(&round.values) {
            let like = known.put(fresh, &at, lists);
            debug_assert!(like, "a metric that is not measured list by list");
        }
    }

    /// Which of all lists each of a round's is; new ones are numbered on.
    fn places(&mut self, round: &Round) -> Vec<u32> {
        let groups: Vec<u32> = round.lists.groups.iter().map(|group| self.group(group)).collect();
        let mut at = Vec::with_capacity(round.names.len());
        for ((query, user), group) in round.names.iter().zip(&round.lists.group) {
            let group = groups.get(*group as usize).copied().unwrap_or_default();
            let next = self.names.len() as u32;
            let place = *self.names.entry((query.clone(), user.clone(), group)).or_insert(next);
            if place == next {
                let queries = self.queries.len() as u32;
                self.lists.query.push(*self.queries.entry(query.clone()).or_insert(queries));
                self.lists.group.push(group);
            }
            at.push(place);
        }
        at
    }

    fn group(&mut self, values: &[Option<String>]) -> u32 {
        let next = self.groups.len() as u32;
        let group = *self.groups.entry(values.to_vec()).or_insert(next);
        if group == next {
            self.lists.groups.push(values.to_vec());
        }
        group
    }

    fn table(
        &self,
        request: &MetricsRequest,
        ids: &[MetricId],
        cancel: &Cancel,
    ) -> Result<MetricsTable, AnalysisError> {
        let mut members = groups(&self.lists, request);
        for lists in &mut members {
            lists.sort_by_key(|&list| self.lists.query.get(list as usize));
        }
        let all = (&self.lists, &members[..]);
        let mut lines = lines(all, ids, &self.values, request, cancel, &mut Vec::new())?;
        lines.sort_by(|a, b| by_values(&a.group, &b.group));
        Ok(MetricsTable { by: request.by.clone(), lines, ..MetricsTable::default() })
    }
}

/// Numbers as numbers, before text; NULL last, as the database numbers groups.
fn by_values(a: &[Option<String>], b: &[Option<String>]) -> Ordering {
    let number = |value: &Option<String>| value.as_ref().and_then(|text| text.parse::<f64>().ok());
    let numbers = |(a, b): (&Option<String>, &Option<String>)| match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    let texts =
        |(a, b): (&Option<String>, &Option<String>)| a.is_none().cmp(&b.is_none()).then_with(|| a.cmp(b));
    let both = || a.iter().zip(b);
    both().map(numbers).chain(both().map(texts)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}
