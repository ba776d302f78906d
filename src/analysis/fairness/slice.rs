//! One slice of an audit: the metric in each of its groups, with interval and test against the rest.

use super::FairnessRequest;
use super::disparity::rates_beside;
use super::exchange::{Exchange, exchange};
use super::{GroupLine, Status};
use crate::analysis::Queries;
use crate::analysis::metrics::evaluate::{affordable, clusters, keeps, members, notes};
use crate::analysis::metrics::prepared::{Lists, Prepared};
use crate::analysis::metrics::roles::Unit;
use crate::analysis::metrics::values::{Parts, Values, measure};
use crate::analysis::metrics::{AnalysisError, Level, MetricId, predicate};
use crate::analysis::stats::{GroupTest, Interval, Permutation, Random, Strata, bootstrap, permute};
use crate::util::cancel::Cancel;

/// One slice, measured.
pub(super) struct Slice<'r> {
    pub columns: &'r [String],
    pub lists: Lists,
    /// The metric asked for, and after it the rates that classification disparities are made of.
    pub rates: Vec<(MetricId, Values)>,
    /// Lists of each group.
    pub members: Vec<Vec<u32>>,
    pub exchange: Exchange,
    /// The same with one list per item and group, for slices that describe items.
    by_item: Option<(Lists, Vec<Values>)>,
    pub notes: Vec<String>,
}

/// A permutation's material: values by list, the unit of each list, the group of each unit.
pub(super) struct Exchanged<'s> {
    pub values: Vec<&'s Values>,
    pub unit: Vec<u32>,
    pub labels: Vec<u32>,
    pub strata: Strata,
}

impl<'r> Slice<'r> {
    pub fn measure(
        queries: &mut dyn Queries,
        request: &FairnessRequest,
        id: &MetricId,
        columns: &'r [String],
        cancel: &Cancel,
    ) -> Result<Self, AnalysisError> {
        let mut ids = vec![*id];
        for rate in rates_beside(id) {
            ids.push(MetricId::parse(rate)?);
        }
        let mut prepared = Prepared::new(queries, &request.rows, columns, Unit::Query, keeps(&ids))?;
        prepared.cancel = cancel.clone();
        let rates = ids
            .iter()
            .map(|id| Ok((*id, measure(&mut prepared, id, request.empty)?)))
            .collect::<Result<Vec<_>, AnalysisError>>()?;
        let exchange = exchange(&mut prepared, &request.rows, id)?;
        let mut notes = notes(&prepared.facts, std::slice::from_ref(id), &request.rows);
        notes.extend(prepared.said());
        let lists = prepared.lists;
        let members = members(&lists);
        let mut slice = Self { columns, lists, rates, members, exchange, by_item: None, notes };
        slice.by_item = match exchange {
            Exchange::Items => Some(slice.listed_by(Unit::Item, queries, request, cancel)?),
            Exchange::ItemsInQuery => Some(slice.listed_by(Unit::ItemInQuery, queries, request, cancel)?),
            _ => None,
        };
        Ok(slice)
    }

    /// The same rates with another unit in the query's place.
    fn listed_by(
        &self,
        unit: Unit,
        queries: &mut dyn Queries,
        request: &FairnessRequest,
        cancel: &Cancel,
    ) -> Result<(Lists, Vec<Values>), AnalysisError> {
        let ids: Vec<MetricId> = self.rates.iter().map(|(id, _)| *id).collect();
        let mut prepared = Prepared::new(queries, &request.rows, self.columns, unit, keeps(&ids))?;
        prepared.cancel = cancel.clone();
        let values =
            ids.iter().map(|id| measure(&mut prepared, id, request.empty)).collect::<Result<Vec<_>, _>>()?;
        Ok((prepared.lists, values))
    }

    fn own(&self) -> Option<&Values> {
        self.rates.first().map(|(_, values)| values)
    }

    /// What a permutation works on.
    pub fn exchanged(&self) -> Exchanged<'_> {
        let (lists, values) = match &self.by_item {
            Some((lists, values)) => (lists, values.iter().collect()),
            None => (&self.lists, self.rates.iter().map(|(_, values)| values).collect()),
        };
        let (unit, labels, strata) = self.exchange.units(lists);
        Exchanged { values, unit, labels, strata }
    }

    /// What `n` of a rate counts in a group.
    pub fn support_of(&self, values: &Values, group: usize) -> u64 {
        let members = self.members.get(group).map(Vec::as_slice).unwrap_or_default();
        members.iter().filter_map(|&list| values.support.get(list as usize)).sum::<f64>().round() as u64
    }

    pub fn group_name(&self, group: usize) -> Vec<Option<String>> {
        self.lists.groups.get(group).cloned().unwrap_or_default()
    }

    /// The metric over all rows. Where the slice splits lists, over the split lists.
    pub fn overall(&self) -> Option<f64> {
        let everyone: Vec<u32> = (0..self.lists.query.len() as u32).collect();
        self.own()?.statistic(&everyone, &vec![0; everyone.len()], 1).value(&[1.0])
    }

    pub fn lines(
        &self,
        request: &FairnessRequest,
        id: &MetricId,
        seed: u64,
        cancel: &Cancel,
        notes: &mut Vec<String>,
    ) -> Result<Vec<GroupLine>, AnalysisError> {
        let Some(own) = self.own() else { return Ok(Vec::new()) };
        let tests = self.tests(request, seed, cancel, notes)?;
        let mut lines = Vec::with_capacity(tests.len());
        for (group, test) in tests.into_iter().enumerate() {
            let name = self.group_name(group);
            let mut line = GroupLine {
                slice: self.columns.to_vec(),
                predicate: predicate(self.columns, &name),
                group: name,
                n: self.support_of(own, group),
                ..GroupLine::default()
            };
            if test.inside.is_none() {
                line.status = Status::NotAvailable;
            }
            if line.n < request.min_support {
                line.status = Status::BelowSupport;
            } else if let Some(value) = test.inside {
                let interval = self.interval(own, group, request, id, seed, cancel)?;
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
        own: &Values,
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
        let statistic = own.statistic(members, &unit, units);
        let resamples = affordable(request.resamples, own.cost());
        let random = Random::derived(seed, group as u64);
        let intervals = bootstrap(&[statistic.as_ref()], units, resamples, random, cancel)?;
        let interval = intervals.into_iter().next().flatten();
        Ok(interval.map(|it| if id.metric.range == (0.0, 1.0) { it.at_a_bound(units) } else { it }))
    }

    /// Every group against the rest, units exchanged as the slice allows.
    fn tests(
        &self,
        request: &FairnessRequest,
        seed: u64,
        cancel: &Cancel,
        notes: &mut Vec<String>,
    ) -> Result<Vec<GroupTest>, AnalysisError> {
        let groups = self.lists.groups.len();
        let Exchanged { values, unit, labels, strata } = self.exchanged();
        let Some(values) = values.first() else { return Ok(Vec::new()) };
        let everyone: Vec<u32> = (0..unit.len() as u32).collect();
        let statistic = values.statistic(&everyone, &unit, labels.len());
        let rounds = affordable(request.permutations, values.cost() * passes(values, groups));
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
}

/// How often a round goes through the values: a ratio is tested against all groups in one pass; the
/// others need two per group.
pub(super) fn passes(values: &Values, groups: usize) -> usize {
    if matches!(values.parts, Parts::Ratio(_)) { 1 } else { 2 * groups }
}
