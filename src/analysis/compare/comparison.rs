//! From a request to a table: each run is measured, its lists are paired with the baseline's, and each
//! metric of each group is compared and tested; then p is adjusted over the whole table.

use super::figures::Both;
use super::line::{CompareLine, Verdict};
use super::measured::Measured;
use super::pairs::{GroupPairs, pair};
use super::request::{CompareRequest, LEVELS};
use super::table::CompareTable;
use super::{moved, notes};
use crate::analysis::Queries;
use crate::analysis::metrics::evaluate::affordable;
use crate::analysis::metrics::prepared::clean;
use crate::analysis::metrics::roles::require;
use crate::analysis::metrics::{AnalysisError, Level, MetricId, predicate};
use crate::analysis::stats::{
    Random, Resampled, Resampling, Statistic, effect_size, holm, minimum_detectable, power, resample,
    sign_flip,
};
use crate::util::cancel::Cancel;

/// The share of tables without any real difference that may raise an alarm.
pub(super) const ALPHA: f64 = 0.05;
/// Pairs from which a randomisation test can reach [`ALPHA`]: 2 of 2^5 arrangements are 0.0625.
const FEWEST: f64 = 6.0;
/// The power that the minimum detectable effect is for.
pub(super) const POWER: f64 = 0.8;

/// Compares every run with the first, metric by metric, over all queries and in each group of `by`.
///
/// Paired: a list counts where both runs have it (same query and user) with a figure; the others are
/// counted in `n_na` and told. Two-sided p from trading the runs' results query by query, adjusted by Holm
/// over every test of the table; intervals of the difference from resampling queries. `progress(done,
/// total)` counts steps. Leaves no relation behind.
pub fn compare(
    queries: &mut dyn Queries,
    request: &CompareRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<CompareTable, AnalysisError> {
    let table = compute(queries, request, cancel, progress);
    clean(queries);
    table
}

fn compute(
    queries: &mut dyn Queries,
    request: &CompareRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<CompareTable, AnalysisError> {
    let ids = wanted(request)?;
    let mut slices: Vec<&[String]> = vec![&[]];
    if !request.by.is_empty() {
        slices.push(&request.by);
    }
    let total = (slices.len() * request.runs.len() + 1) as u64;
    let mut done = 0;
    let mut table = CompareTable {
        runs: request.runs.iter().map(|run| run.name.clone()).collect(),
        metrics: ids.iter().map(MetricId::to_string).collect(),
        by: request.by.clone(),
        ..CompareTable::default()
    };
    for by in slices {
        let mut baseline: Option<Measured> = None;
        for run in &request.runs {
            cancel.check()?;
            progress(done, total);
            done += 1;
            let found = Measured::new(queries, run, by, &ids, request.empty, cancel)?;
            if by.is_empty() {
                table.notes.extend(found.notes.iter().map(|note| format!("{}: {note}", run.name)));
                table.notes.extend(notes::unranked(&run.name, found.unranked));
            }
            let Some(baseline) = &baseline else {
                baseline = Some(found);
                continue;
            };
            let groups = pair(baseline, &found);
            if by.is_empty() {
                let all = GroupPairs::default();
                let all = groups.first().unwrap_or(&all);
                table.notes.extend(notes::unpaired(&request.runs[0].name, &run.name, all));
                let top = moved::largest(&ids, baseline, &found, all, request.top_queries);
                table
                    .moved
                    .extend(top.into_iter().map(|moved| moved::Moved { run: run.name.clone(), ..moved }));
            }
            let comparison =
                Comparison { request, ids: &ids, by, run: &run.name, baseline, found: &found, cancel };
            comparison.lines(&groups, &mut table)?;
        }
    }
    progress(done, total);
    adjust(&mut table);
    notes::explain(&mut table, request);
    moved::add_lists(queries, request, &ids, &mut table.moved)?;
    progress(total, total);
    Ok(table)
}

/// The metrics, after a look at whether there is anything to compare.
fn wanted(request: &CompareRequest) -> Result<Vec<MetricId>, AnalysisError> {
    if request.runs.len() < 2 {
        return Err(AnalysisError::request("a comparison needs two runs")
            .with_hint("e.g. scores = [\"old_score\", \"new_score\"] or runs = [\"old\", \"new\"]"));
    }
    let ids = request.show.iter().map(|text| MetricId::parse(text)).collect::<Result<Vec<_>, _>>()?;
    if ids.is_empty() {
        let hint = "e.g. show = [\"ndcg@10\", \"mrr\"]; `recscope docs metrics` lists all";
        return Err(AnalysisError::request("no metric is asked for").with_hint(hint));
    }
    for run in &request.runs {
        if run.rows.roles.query.is_none() {
            let hint = "add query = \"query\" to the cell, or to `schema:` in the front matter";
            return Err(AnalysisError::request("runs are compared query by query: a query column is needed")
                .with_hint(hint));
        }
        ids.iter().try_for_each(|id| require(id, &run.rows))?;
    }
    Ok(ids)
}

/// One run against the baseline, over one way to group queries.
struct Comparison<'c> {
    request: &'c CompareRequest,
    ids: &'c [MetricId],
    by: &'c [String],
    run: &'c str,
    baseline: &'c Measured,
    found: &'c Measured,
    cancel: &'c Cancel,
}

impl Comparison<'_> {
    fn lines(&self, groups: &[GroupPairs], table: &mut CompareTable) -> Result<(), AnalysisError> {
        let none = [GroupPairs::default()];
        let groups = if groups.is_empty() && self.by.is_empty() { &none[..] } else { groups };
        let cost: usize = self.found.values.iter().map(|values| 2 * values.cost()).sum();
        let resamples = affordable(self.request.resamples, cost);
        let permutations = affordable(self.request.permutations, cost);
        table.resamples = if table.lines.is_empty() { resamples } else { table.resamples.min(resamples) };
        table.permutations =
            if table.lines.is_empty() { permutations } else { table.permutations.min(permutations) };
        for (number, group) in groups.iter().enumerate() {
            // Over everything the first stream, over groups the next ones.
            let stream = number as u64 + u64::from(!self.by.is_empty());
            let values = self.baseline.values.iter().zip(&self.found.values);
            let both: Vec<Both> =
                self.ids.iter().zip(values).map(|(id, (a, b))| Both::of(id, group, a, b)).collect();
            let differences: Vec<&dyn Statistic> = both.iter().map(|both| both.difference.as_ref()).collect();
            let random = Random::derived(self.request.seed, stream);
            let how = Resampling { resamples, method: self.request.interval, random };
            let resampled = resample(&differences, group.units, how, self.cancel)?;
            for ((id, both), resampled) in self.ids.iter().zip(&both).zip(&resampled) {
                let random = Random::derived(self.request.seed, (1 << 32) + stream);
                let line = self.line(id, group, both, resampled, permutations, random)?;
                table.lines.push(line);
            }
        }
        Ok(())
    }

    fn line(
        &self,
        id: &MetricId,
        group: &GroupPairs,
        both: &Both,
        resampled: &Resampled,
        permutations: u32,
        random: Random,
    ) -> Result<CompareLine, AnalysisError> {
        let mut line = CompareLine {
            run: self.run.to_owned(),
            metric: id.to_string(),
            higher_is_better: id.metric.higher_is_better,
            group: group.group.clone(),
            n: both.n,
            n_na: both.n_na,
            predicate: predicate(self.by, &group.group),
            status: Verdict::NotAvailable,
            ..CompareLine::default()
        };
        let ones = vec![1.0; group.units];
        (line.baseline, line.value) = (both.a.value(&ones), both.b.value(&ones));
        let Some(delta) = line.baseline.zip(line.value).map(|(a, b)| b - a) else { return Ok(line) };
        (line.delta, line.status) = (Some(delta), Verdict::Level);
        if id.metric.level == Level::Catalogue {
            return Ok(line);
        }
        line.bounds = self.bounds(resampled);
        if let Some(interval) = resampled.interval(self.request.interval, 0.95) {
            (line.lower, line.upper) = (Some(interval.lower), Some(interval.upper));
        }
        if let Some(pair) = both.paired() {
            line.p = sign_flip(&pair, permutations, random, self.cancel)?.map(|test| test.p);
        }
        let units = group.units as f64;
        let spread = both.deviation().or(resampled.std_error().map(|error| (error * units.sqrt(), units)));
        if let Some((deviation, n)) = spread {
            line.effect = effect_size(delta, deviation);
            // Signs of so few pairs have no arrangement that is rare enough: nothing can be found.
            let blind = line.p.is_some() && units < FEWEST;
            if blind {
                line.power = Some(0.0);
            } else {
                line.mde = minimum_detectable(deviation, n, ALPHA, POWER);
                line.power = power(self.request.detect.unwrap_or(delta), deviation, n, ALPHA);
            }
        }
        if let Some(score) = both.score(line.higher_is_better) {
            (line.wins, line.ties, line.losses) = (Some(score.wins), Some(score.ties), Some(score.losses));
        }
        Ok(line)
    }

    fn bounds(&self, resampled: &Resampled) -> Vec<(f64, f64, f64)> {
        let mut levels: Vec<f64> = LEVELS.iter().chain(&self.request.levels).copied().collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        let bounds = levels.into_iter().filter_map(|level| {
            let interval = resampled.interval(self.request.interval, level)?;
            Some((level, interval.lower, interval.upper))
        });
        bounds.collect()
    }
}

/// Holm over every test of the table, and what follows from it.
fn adjust(table: &mut CompareTable) {
    let p: Vec<f64> = table.lines.iter().map(|line| line.p.unwrap_or(f64::NAN)).collect();
    for (line, adjusted) in table.lines.iter_mut().zip(holm(&p)) {
        if adjusted.is_nan() {
            continue;
        }
        line.p_adjusted = Some(adjusted);
        let gain = line.gain().unwrap_or(0.0);
        if adjusted <= ALPHA && gain != 0.0 {
            line.status = if gain > 0.0 { Verdict::Better } else { Verdict::Worse };
        }
    }
}
