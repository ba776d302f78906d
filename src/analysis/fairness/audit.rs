//! From a request to a table: each slice is measured group by group, compared with the rest, and
//! tested; then p is adjusted over the whole table.
//!
//! A group's value is the metric of the group's rows, as if they were the whole relation. Where a
//! slice splits a query's rows (supplier, say), a list is the rows of one query in one group.

use super::exchange::{Exchange, exchange};
use super::{FairnessRequest, FairnessTable, GroupLine, Status};
use crate::analysis::Queries;
use crate::analysis::metrics::evaluate::{affordable, clusters, keeps, members, notes};
use crate::analysis::metrics::prepared::{Prepared, clean};
use crate::analysis::metrics::roles::{Unit, require};
use crate::analysis::metrics::values::{Values, measure};
use crate::analysis::metrics::{AnalysisError, Level, MetricId, predicate};
use crate::analysis::stats::{
    GroupTest, Interval, Permutation, Random, benjamini_hochberg, bootstrap, permute,
};
use crate::util::cancel::Cancel;

/// The share of false alarms among alarms that is accepted.
const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// Measures the metric in every group of every slice and compares it with all other rows.
///
/// Groups under `min_support` are listed with status `below support` and without figures; a metric
/// that does not exist in a group is n/a. `progress(done, total)` counts slices. Leaves no relation
/// behind.
pub fn audit(
    queries: &mut dyn Queries,
    request: &FairnessRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<FairnessTable, AnalysisError> {
    let table = compute(queries, request, cancel, progress);
    clean(queries);
    table
}

fn compute(
    queries: &mut dyn Queries,
    request: &FairnessRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<FairnessTable, AnalysisError> {
    let id = MetricId::parse(&request.metric)?;
    require(&id, &request.rows)?;
    if request.slices.iter().all(Vec::is_empty) {
        return Err(AnalysisError::request("no slice is asked for")
            .with_hint("e.g. slices = [\"region\", \"region*device\"]"));
    }
    let mut table = FairnessTable {
        metric: id.to_string(),
        higher_is_better: id.metric.higher_is_better,
        ..FairnessTable::default()
    };
    let slices: Vec<&Vec<String>> = request.slices.iter().filter(|slice| !slice.is_empty()).collect();
    let total = slices.len() as u64;
    for (done, slice) in slices.into_iter().enumerate() {
        cancel.check()?;
        progress(done as u64, total);
        let mut found = Slice::measure(queries, request, &id, slice)?;
        let seed = request.seed.wrapping_add(done as u64);
        table.lines.extend(found.lines(queries, request, &id, seed, cancel, &mut table.notes)?);
        if done == 0 {
            table.overall = found.overall();
            table.notes.extend(std::mem::take(&mut found.notes));
        }
    }
    adjust(&mut table);
    sort(&mut table);
    warn(&mut table, request.permutations);
    progress(total, total);
    Ok(table)
}

/// One slice, measured.
struct Slice<'r> {
    columns: &'r [String],
    lists: crate::analysis::metrics::prepared::Lists,
    values: Values,
    members: Vec<Vec<u32>>,
    exchange: Exchange,
    notes: Vec<String>,
}

impl<'r> Slice<'r> {
    fn measure(
        queries: &mut dyn Queries,
        request: &FairnessRequest,
        id: &MetricId,
        columns: &'r [String],
    ) -> Result<Self, AnalysisError> {
        let mut prepared =
            Prepared::new(queries, &request.rows, columns, Unit::Query, keeps(std::slice::from_ref(id)))?;
        let values = measure(&mut prepared, id, request.empty)?;
        let exchange = exchange(&mut prepared, &request.rows, id)?;
        let notes = notes(&prepared.facts, std::slice::from_ref(id), &request.rows);
        let lists = prepared.lists;
        let members = members(&lists);
        Ok(Self { columns, lists, values, members, exchange, notes })
    }

    /// The metric over all rows. Where the slice splits lists, over the split lists.
    fn overall(&self) -> Option<f64> {
        let everyone: Vec<u32> = (0..self.lists.query.len() as u32).collect();
        self.values.statistic(&everyone, &vec![0; everyone.len()], 1).value(&[1.0])
    }

    fn support(&self, group: usize) -> u64 {
        let members = self.members.get(group).map(Vec::as_slice).unwrap_or_default();
        members.iter().filter_map(|&list| self.values.support.get(list as usize)).sum::<f64>().round() as u64
    }

    fn lines(
        &self,
        queries: &mut dyn Queries,
        request: &FairnessRequest,
        id: &MetricId,
        seed: u64,
        cancel: &Cancel,
        notes: &mut Vec<String>,
    ) -> Result<Vec<GroupLine>, AnalysisError> {
        let tests = self.tests(queries, request, id, seed, cancel, notes)?;
        let mut lines = Vec::with_capacity(tests.len());
        for (group, test) in tests.into_iter().enumerate() {
            let name = self.lists.groups.get(group).cloned().unwrap_or_default();
            let mut line = GroupLine {
                slice: self.columns.to_vec(),
                predicate: predicate(self.columns, &name),
                group: name,
                n: self.support(group),
                ..GroupLine::default()
            };
            if test.inside.is_none() {
                line.status = Status::NotAvailable;
            }
            if line.n < request.min_support {
                line.status = Status::BelowSupport;
            } else if let Some(value) = test.inside {
                let interval = self.interval(group, request, id, seed, cancel)?;
                line.value = Some(value);
                line.lower = interval.map(|interval| interval.lower);
                line.upper = interval.map(|interval| interval.upper);
                line.delta = test.rest.map(|rest| value - rest);
                line.p = test.p;
            }
            lines.push(line);
        }
        Ok(lines)
    }

    fn interval(
        &self,
        group: usize,
        request: &FairnessRequest,
        id: &MetricId,
        seed: u64,
        cancel: &Cancel,
    ) -> Result<Option<Interval>, AnalysisError> {
        if id.metric.level == Level::Catalogue {
            return Ok(None);
        }
        let members = self.members.get(group).map(Vec::as_slice).unwrap_or_default();
        let (unit, units) = clusters(&self.lists, members);
        let statistic = self.values.statistic(members, &unit, units);
        let resamples = affordable(request.resamples, self.values.cost());
        let random = Random::derived(seed, group as u64);
        let intervals = bootstrap(&[statistic.as_ref()], units, resamples, random, cancel)?;
        let interval = intervals.into_iter().next().flatten();
        Ok(interval.map(|it| if id.metric.range == (0.0, 1.0) { it.at_a_bound(units) } else { it }))
    }

    /// Every group against the rest, units exchanged as the slice allows.
    fn tests(
        &self,
        queries: &mut dyn Queries,
        request: &FairnessRequest,
        id: &MetricId,
        seed: u64,
        cancel: &Cancel,
        notes: &mut Vec<String>,
    ) -> Result<Vec<GroupTest>, AnalysisError> {
        let groups = self.lists.groups.len();
        let by_item = match self.exchange {
            Exchange::Items => Some(self.by_item(queries, request, id)?),
            _ => None,
        };
        let (lists, values) = by_item.as_ref().map_or((&self.lists, &self.values), |(l, v)| (l, v));
        let (unit, labels, strata) = self.exchange.units(lists);
        let everyone: Vec<u32> = (0..unit.len() as u32).collect();
        let statistic = values.statistic(&everyone, &unit, labels.len());
        // A ratio is tested against all groups in one pass; the others need two per group.
        let passes = if matches!(values.parts, crate::analysis::metrics::values::Parts::Ratio(_)) {
            1
        } else {
            2 * groups
        };
        let rounds = affordable(request.permutations, values.cost() * passes);
        let columns = self.columns.join("*");
        notes.push(format!("{columns}: {}", self.exchange.explain()));
        if rounds < request.permutations {
            notes.push(format!(
                "{columns}: {rounds} permutations instead of {}: many rows",
                request.permutations
            ));
        }
        let how = Permutation { rounds, strata, random: Random::derived(seed, u64::MAX) };
        Ok(permute(statistic.as_ref(), &labels, groups, how, cancel)?)
    }

    /// The same rows with one list per item and group, for slices that describe items.
    fn by_item(
        &self,
        queries: &mut dyn Queries,
        request: &FairnessRequest,
        id: &MetricId,
    ) -> Result<(crate::analysis::metrics::prepared::Lists, Values), AnalysisError> {
        let mut prepared =
            Prepared::new(queries, &request.rows, self.columns, Unit::Item, keeps(std::slice::from_ref(id)))?;
        let values = measure(&mut prepared, id, request.empty)?;
        Ok((prepared.lists, values))
    }
}

/// Benjamini-Hochberg over every group that was tested, in all slices of the table.
fn adjust(table: &mut FairnessTable) {
    let p: Vec<f64> = table.lines.iter().map(|line| line.p.unwrap_or(f64::NAN)).collect();
    for (line, adjusted) in table.lines.iter_mut().zip(benjamini_hochberg(&p)) {
        if adjusted.is_nan() {
            continue;
        }
        line.p_adjusted = Some(adjusted);
        let delta = line.delta.unwrap_or(0.0);
        if adjusted <= FALSE_DISCOVERY_RATE && delta != 0.0 {
            let good = (delta > 0.0) == table.higher_is_better;
            line.status = if good { Status::Better } else { Status::Worse };
        }
    }
}

/// Measured groups first, the worst of them on top.
fn sort(table: &mut FairnessTable) {
    let sign = if table.higher_is_better { 1.0 } else { -1.0 };
    let place = |line: &GroupLine| match line.status {
        Status::BelowSupport => 2,
        Status::NotAvailable => 1,
        _ => 0,
    };
    table.lines.sort_by(|a, b| {
        let badness = |line: &GroupLine| line.delta.map_or(f64::INFINITY, |delta| sign * delta);
        place(a).cmp(&place(b)).then(badness(a).total_cmp(&badness(b))).then(b.n.cmp(&a.n))
    });
}

fn warn(table: &mut FairnessTable, permutations: u32) {
    let tested = table.lines.iter().filter(|line| line.p.is_some()).count();
    let least = tested as f64 / f64::from(permutations.saturating_add(1));
    if permutations > 0 && least > FALSE_DISCOVERY_RATE {
        let needed = (tested as f64 / FALSE_DISCOVERY_RATE).ceil();
        table.notes.push(format!(
            "{permutations} permutations over {tested} groups can hardly show anything: take at least {needed}"
        ));
    }
    let hidden = table.figure("below_support").unwrap_or_default();
    if hidden > 0.0 {
        table.notes.push(format!("{hidden} groups are below support: listed, not measured"));
    }
}
