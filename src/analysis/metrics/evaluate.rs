//! From a request to a table: prepare the rows, measure each metric list by list, then a value and
//! an interval per group.

use std::borrow::Cow;

use super::columns::texts;
use super::intervals::Intervals;
use super::measures::EXPECTED;
use super::prepared::{self, Facts, Kept, Lists, Prepared};
use super::roles::{self, Unit};
use super::values::{Parts, Shape, Values, measure_all};
use super::{
    AnalysisError, Level, ListValues, MetricId, MetricLine, MetricsRequest, MetricsTable, Need, Rows,
    Unjudged, bounds, predicate, rules,
};
use crate::analysis::stats::Statistic;
use crate::analysis::{Bindings, Queries};
use crate::util::cancel::Cancel;

/// Steps of work that an interval may cost; more rows get fewer resamples, and a note.
const PATIENCE: usize = 2_000_000_000;

/// Computes every metric of `request.show`, over all rows or broken down by `request.by`.
///
/// `progress(done, total)` is called now and then, in steps of work. Leaves no relation behind.
pub fn evaluate(
    queries: &mut dyn Queries,
    request: &MetricsRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<MetricsTable, AnalysisError> {
    let table = settled(queries, request).and_then(|request| compute(queries, &request, cancel, progress));
    prepared::clean(queries);
    table
}

/// The request with rows for which some of its rules need not be minded any more.
fn settled<'r>(
    queries: &mut dyn Queries,
    request: &'r MetricsRequest,
) -> Result<Cow<'r, MetricsRequest>, AnalysisError> {
    let mut request = Cow::Borrowed(request);
    for settle in [rules::last_copies, rules::answered] {
        if let Some(rows) = settle(queries, &request.rows)? {
            request.to_mut().rows = rows;
        }
    }
    Ok(request)
}

fn compute(
    queries: &mut dyn Queries,
    request: &MetricsRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<MetricsTable, AnalysisError> {
    let ids = request.show.iter().map(|text| MetricId::parse(text)).collect::<Result<Vec<_>, _>>()?;
    if ids.is_empty() {
        let hint = "e.g. show = [\"ndcg@10\", \"mrr\"]; `recscope docs metrics` lists all";
        return Err(AnalysisError::request("no metric is asked for").with_hint(hint));
    }
    ids.iter().try_for_each(|id| roles::require(id, &request.rows))?;
    let total = ids.len() as u64 + 2;
    progress(0, total);
    let mut prepared = Prepared::new(queries, &request.rows, &request.by, Unit::Query, keeps(&ids))?;
    prepared.cancel = cancel.clone();
    let values = measure_all(&mut prepared, &ids, (request.empty, request.by_statements), &mut |done| {
        progress(done as u64 + 1, total);
        Ok(cancel.check()?)
    })?;
    let mut notes = notes(&prepared.facts, &ids, &request.rows);
    notes.extend(prepared.said());
    progress(total - 1, total);
    let members = groups(&prepared.lists, request);
    let mut lines = lines((&prepared.lists, &members), &ids, &values, request, cancel, &mut notes)?;
    let lists = if request.per_list { Some(list_values(&mut prepared, &ids, &values)?) } else { None };
    if request.bounds {
        let low = bounds::halves(&mut prepared, &ids, &values)?;
        let gain = bounds::most(&prepared.facts, &request.rows);
        notes.push(format!("worst and best: items without a judgment, worth nothing and worth {gain}"));
        let extremes = bounds::extremes(queries, request, &ids, low, gain)?;
        bound(&mut lines, &members, &extremes);
    }
    progress(total, total);
    Ok(MetricsTable { by: request.by.clone(), lines, notes, lists, bounds: request.bounds })
}

/// Must ranked rows keep their items, their texts, what is known of the logging policy?
pub(crate) fn keeps(ids: &[MetricId]) -> Kept {
    let needs: Vec<Need> = ids.iter().flat_map(|id| id.metric.needs).copied().collect();
    let policy = ids.iter().any(|id| super::policy::reads(id) || super::supply::reads(id));
    let crossed = ids.iter().any(super::supply::crosses);
    Kept { items: needs.contains(&Need::Item), text: needs.contains(&Need::Text), policy, crossed, needs }
}

/// Sets the bounds of lines that are group by group, metric by metric.
fn bound(lines: &mut [MetricLine], members: &[Vec<u32>], extremes: &[bounds::Extremes]) {
    let mean = |values: &[f64], members: &[u32]| {
        let known =
            members.iter().filter_map(|&list| values.get(list as usize)).filter(|value| !value.is_nan());
        let (sum, n) = known.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
        (n > 0.0).then_some(sum / n)
    };
    for (lines, members) in lines.chunks_mut(extremes.len().max(1)).zip(members) {
        for (line, extremes) in lines.iter_mut().zip(extremes) {
            if let Some((worst, best)) = extremes {
                line.worst = mean(worst, members);
                line.best = mean(best, members);
            }
        }
    }
}

/// Lists of each group; without any row there is one group all the same: its metrics are n/a, not
/// absent.
pub(super) fn groups(lists: &Lists, request: &MetricsRequest) -> Vec<Vec<u32>> {
    let mut members = members(lists);
    if members.is_empty() && request.by.is_empty() {
        members.push(Vec::new());
    }
    members
}

/// Lists of each group.
pub(crate) fn members(lists: &Lists) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); lists.groups.len()];
    for (list, &group) in (0..).zip(&lists.group) {
        if let Some(members) = members.get_mut(group as usize) {
            members.push(list);
        }
    }
    members
}

/// Numbers the queries of some lists from 0, in their order; the number for each list, and how many.
pub(crate) fn clusters(lists: &Lists, members: &[u32]) -> (Vec<u32>, usize) {
    let mut clusters = 0;
    let mut before = None;
    let mut number = |&list: &u32| {
        let query = lists.query.get(list as usize).copied();
        if before != Some(query) {
            before = Some(query);
            clusters += 1;
        }
        clusters as u32 - 1
    };
    let numbers = members.iter().map(&mut number).collect();
    (numbers, clusters)
}

/// A line per group and metric; `members`: the lists of each group, those of a query side by side.
pub(super) fn lines(
    (lists, members): (&Lists, &[Vec<u32>]),
    ids: &[MetricId],
    values: &[Values],
    request: &MetricsRequest,
    cancel: &Cancel,
    notes: &mut Vec<String>,
) -> Result<Vec<MetricLine>, AnalysisError> {
    let cost: usize = values.iter().map(Values::cost).sum();
    let resamples = affordable(request.resamples, cost);
    if resamples < request.resamples {
        notes.push(format!(
            "intervals from {resamples} resamples instead of {}: many rows",
            request.resamples
        ));
    }
    let mut intervals = Intervals::new(request, resamples);
    let mut lines = Vec::with_capacity(members.len() * ids.len());
    for (group, members) in members.iter().enumerate() {
        let (unit, units) = clusters(lists, members);
        let statistics: Vec<Box<dyn Statistic>> =
            values.iter().map(|values| values.statistic(members, &unit, units)).collect();
        let resampled: Vec<&dyn Statistic> = statistics.iter().map(Box::as_ref).collect();
        let found = intervals.of(ids, values, &resampled, (group, units), cancel)?;
        let name = lists.groups.get(group).cloned().unwrap_or_default();
        for (((id, values), statistic), interval) in ids.iter().zip(values).zip(&resampled).zip(found) {
            let sum = |of: &[f64]| -> u64 {
                members.iter().filter_map(|&list| of.get(list as usize)).sum::<f64>().round() as u64
            };
            lines.push(MetricLine {
                group: name.clone(),
                metric: id.to_string(),
                value: statistic.value(&vec![1.0; units]),
                lower: interval.map(|interval| interval.lower),
                upper: interval.map(|interval| interval.upper),
                n: sum(&values.support),
                n_na: sum(&values.missing),
                higher_is_better: id.metric.higher_is_better,
                worst: None,
                best: None,
                predicate: predicate(&request.by, &name),
            });
        }
    }
    notes.extend(intervals.note());
    Ok(lines)
}

/// As many rounds as the work allows, but enough for a rough interval.
pub(crate) fn affordable(rounds: u32, cost: usize) -> u32 {
    let most = u32::try_from(PATIENCE / cost.max(1)).unwrap_or(u32::MAX);
    rounds.min(most.max(199))
}

fn list_values(
    prepared: &mut Prepared<'_>,
    ids: &[MetricId],
    values: &[Values],
) -> Result<ListValues, AnalysisError> {
    // Not through `rows`: the names of lists are there without the rows.
    let batch = prepared.queries.rows("metrics/list_names", &Bindings::new())?;
    let queries = texts(&batch, "query")?.into_iter().map(Option::unwrap_or_default).collect();
    Ok(list_values_of(queries, ids, values))
}

/// The value of each metric in each list; `queries`: the lists' names.
pub(super) fn list_values_of(queries: Vec<String>, ids: &[MetricId], values: &[Values]) -> ListValues {
    let mut lists = ListValues { queries, ..ListValues::default() };
    for (id, values) in ids.iter().zip(values) {
        let (Level::List, Parts::Ratio(ratio) | Parts::Shaped(ratio, _)) = (id.metric.level, &values.parts)
        else {
            continue;
        };
        let own = |n: f64| match values.parts {
            Parts::Shaped(_, Shape::Exponential) => n.exp(),
            Parts::Shaped(_, Shape::Root) => n.sqrt(),
            _ => n,
        };
        let value = |(n, d): (&f64, &f64)| if *d > 0.0 { own(*n) } else { f64::NAN };
        lists.metrics.push(id.to_string());
        lists.values.push(ratio.numerator.iter().zip(&ratio.denominator).map(value).collect());
    }
    lists
}

/// What a reader of the figures must know of the rows behind them.
pub(crate) fn notes(facts: &Facts, ids: &[MetricId], rows: &Rows) -> Vec<String> {
    let mut notes = Vec::new();
    let ranking = ids.iter().any(|id| id.metric.level != Level::Row);
    let probabilities = |id: &MetricId| {
        id.metric.level == Level::Row && id.metric.needs.contains(&Need::Score) && id.metric.id != "auc"
    };
    let mut say = |count: u64, text: String| {
        if count > 0 {
            notes.push(text);
        }
    };
    let share = |count: u64, of: u64| format!("{:.1} %", 100.0 * count as f64 / of.max(1) as f64);
    say(facts.unlisted, format!("{} rows without a query are left out", facts.unlisted));
    say(facts.bad_scores, format!("{} scores are NaN: such rows have none", facts.bad_scores));
    if ranking {
        let missed = facts.rows.saturating_sub(facts.shown);
        say(missed, format!("{missed} rows without a score or position count as not retrieved"));
        say(
            facts.repeats,
            format!("{} rows repeat an item of their list: the best-ranked stays", facts.repeats),
        );
        let rule = match rows.ties {
            super::Ties::Docid => "by item id, descending",
            super::Ties::Logged => "by logged position, then appearance",
            super::Ties::Expected => "in every way: expected values",
        };
        if facts.shown == 0 {
            say(facts.rows, "no judged query is answered: nothing is retrieved".to_owned());
        }
        let tied = share(facts.tied, facts.shown);
        say(facts.tied, format!("{tied} of the rows share their score within a list; ordered {rule}"));
        let unexpected: Vec<String> = ids
            .iter()
            .filter(|id| id.metric.level == Level::List && !EXPECTED.contains(&id.metric.id))
            .map(ToString::to_string)
            .collect();
        if rows.ties == super::Ties::Expected && !unexpected.is_empty() {
            let list = unexpected.join(", ");
            say(
                facts.tied,
                format!("{list}: no closed form of the expected value; ties by item id, descending"),
            );
        }
        let gains = ids.iter().any(|id| id.metric.needs.contains(&Need::Gain));
        if gains && rows.rules.unjudged == Unjudged::NotRelevant {
            let unjudged = share(facts.unjudged, facts.rows);
            say(facts.unjudged, format!("{unjudged} of the rows are not judged: they count as gain 0"));
        }
    }
    if ids.iter().any(probabilities) && !facts.probabilities {
        say(facts.rows, "scores outside 0..1 are taken as logits: p = 1 / (1 + exp(-score))".to_owned());
    }
    notes
}
