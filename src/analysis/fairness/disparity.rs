//! Disparities between the groups of one slice, as fairness literature names them: how far the extremes
//! are apart, with an interval that the choice of extremes does not bias, and a permutation p.

use super::slice::{Exchanged, Slice, passes};
use super::{FairnessRequest, FairnessTable, Side};
use crate::analysis::metrics::evaluate::affordable;
use crate::analysis::metrics::values::Values;
use crate::analysis::metrics::{AnalysisError, Level, MetricId, Need};
use crate::analysis::stats::{
    GapInterval, Interval, Member, Permutation, Random, Statistic, benjamini_hochberg, permuted_gap,
    widest_gap,
};
use crate::util::cancel::Cancel;

/// Disparities of a classification and the rates whose gaps they are (fairlearn's definitions).
const CLASSIFICATION: [(&str, &[&str]); 3] = [
    ("demographic_parity", &["selection_rate"]),
    ("equal_opportunity", &["recall"]),
    ("equalized_odds", &["recall", "fpr"]),
];
/// The disparity of the metric asked for.
pub(super) const GAP: &str = "gap";

/// One disparity of one slice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Disparity {
    pub side: Side,
    pub slice: Vec<String>,
    /// `gap` (of the table's metric), `demographic_parity`, `equal_opportunity`, `equalized_odds`.
    pub name: &'static str,
    /// Largest minus smallest rate; of several rates the largest such difference. `None`: of one rate fewer
    /// than two groups can be measured.
    pub difference: Option<f64>,
    /// Nominal 95 %, simultaneous over all pairs of groups, so that it holds for the widest.
    pub interval: Option<Interval>,
    /// Smallest / largest rate; of several rates the smallest such ratio. `None` where one of them is none.
    pub ratio: Option<f64>,
    pub ratio_interval: Option<Interval>,
    /// Groups with the smallest and the largest rate.
    pub between: Option<(String, String)>,
    /// Groups that were compared.
    pub groups: usize,
    /// That groups make no difference at all; permuted as the slice's own p is.
    pub p: Option<f64>,
    /// Benjamini-Hochberg over all disparities of the table.
    pub p_adjusted: Option<f64>,
    /// Groups that were not compared, and why.
    pub excluded: Vec<String>,
}

impl Disparity {
    pub(super) const PARTS: [&str; 4] = ["difference", "ratio", "p", "p_adjusted"];

    pub(super) fn part(&self, name: &str) -> Option<f64> {
        match name {
            "difference" => self.difference,
            "ratio" => self.ratio,
            "p" => self.p,
            "p_adjusted" => self.p_adjusted,
            _ => None,
        }
    }
}

/// Rates that are measured beside the metric asked for: those of a classification beside one of them.
pub(super) fn rates_beside(id: &MetricId) -> Vec<&'static str> {
    let classifies = id.metric.level == Level::Row && id.metric.needs == [Need::Score, Need::Label];
    if classifies { vec!["selection_rate", "recall", "fpr"] } else { Vec::new() }
}

/// All disparities of a slice.
pub(super) fn measure_all(
    slice: &Slice<'_>,
    request: &FairnessRequest,
    seed: u64,
    cancel: &Cancel,
) -> Result<Vec<Disparity>, AnalysisError> {
    let exchanged = slice.exchanged();
    let mut found = vec![one(slice, &exchanged, request, (GAP, &[0]), seed, cancel)?];
    for (name, rates) in CLASSIFICATION {
        let at = |rate: &&str| slice.rates.iter().skip(1).position(|(id, _)| id.metric.id == *rate);
        let places: Vec<usize> = rates.iter().filter_map(|rate| Some(at(rate)? + 1)).collect();
        if places.len() == rates.len() {
            found.push(one(slice, &exchanged, request, (name, &places), seed, cancel)?);
        }
    }
    Ok(found)
}

/// Groups of one rate that can be compared.
struct Kept<'s> {
    values: &'s Values,
    /// Group number and value, where support suffices and the rate exists.
    groups: Vec<(usize, f64)>,
}

fn one(
    slice: &Slice<'_>,
    exchanged: &Exchanged<'_>,
    request: &FairnessRequest,
    (name, places): (&'static str, &[usize]),
    seed: u64,
    cancel: &Cancel,
) -> Result<Disparity, AnalysisError> {
    let mut found = Disparity { slice: slice.columns.to_vec(), name, ..Disparity::default() };
    let mut kept = Vec::new();
    for &place in places {
        let Some((id, values)) = slice.rates.get(place) else { continue };
        kept.push(keep(slice, id, values, request.min_support, &mut found.excluded));
    }
    let parts: Option<Vec<(Extreme, Extreme)>> = kept.iter().map(|rate| extremes(&rate.groups)).collect();
    // Of several rates the widest gap: not known where one of them cannot be compared.
    let Some(parts) = parts.filter(|parts| !parts.is_empty()) else { return Ok(found) };
    let ratio = |(low, high): &(Extreme, Extreme)| (low.1 >= 0.0 && high.1 > 0.0).then(|| low.1 / high.1);
    let ratios: Option<Vec<f64>> = parts.iter().map(ratio).collect();
    found.ratio = ratios.and_then(|ratios| ratios.into_iter().reduce(f64::min));
    for (rate, (low, high)) in kept.iter().zip(parts) {
        found.groups = found.groups.max(rate.groups.len());
        let difference = high.1 - low.1;
        if found.difference.is_none_or(|before| difference > before) {
            found.difference = Some(difference);
            found.between = Some((written(slice, low.0), written(slice, high.0)));
        }
    }
    let stream = places.iter().fold(name.len() as u64, |sum, &place| sum * 31 + place as u64);
    let random = Random::derived(seed ^ 0x6761_7073, stream);
    found.p = permuted(slice, exchanged, &kept, places, request.permutations, random.clone(), cancel)?;
    let bounds = bounds(slice, &kept, places, request.resamples, random, cancel)?;
    (found.interval, found.ratio_interval) =
        (bounds.difference, bounds.ratio.filter(|_| found.ratio.is_some()));
    Ok(found)
}

fn keep<'s>(
    slice: &Slice<'_>,
    id: &MetricId,
    values: &'s Values,
    least: u64,
    excluded: &mut Vec<String>,
) -> Kept<'s> {
    let mut groups = Vec::new();
    for group in 0..slice.lists.groups.len() {
        let n = slice.support_of(values, group);
        let members = slice.members.get(group).map(Vec::as_slice).unwrap_or_default();
        let value = values.statistic(members, &vec![0; members.len()], 1).value(&[1.0]);
        let name = written(slice, group);
        match value {
            Some(value) if n >= least => groups.push((group, value)),
            Some(_) => excluded.push(format!("{name} ({id}: {n} of the {least} {} needed)", counted(id))),
            None => excluded.push(format!("{name} ({id}: {}, n {n})", id.metric.na)),
        }
    }
    Kept { values, groups }
}

/// What the support of a rate counts.
fn counted(id: &MetricId) -> &'static str {
    match (id.metric.level, id.metric.id) {
        (Level::List, _) => "lists",
        (_, "recall" | "fnr") => "positives",
        (_, "fpr") => "negatives",
        (_, "precision") => "predicted positives",
        _ => "rows",
    }
}

fn written(slice: &Slice<'_>, group: usize) -> String {
    let name = slice.group_name(group);
    name.iter().map(|part| part.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join("*")
}

type Extreme = (usize, f64);

fn extremes(groups: &[Extreme]) -> Option<(Extreme, Extreme)> {
    let low = groups.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let high = groups.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (groups.len() > 1).then_some((low, high))
}

fn permuted(
    slice: &Slice<'_>,
    exchanged: &Exchanged<'_>,
    kept: &[Kept<'_>],
    places: &[usize],
    rounds: u32,
    random: Random,
    cancel: &Cancel,
) -> Result<Option<f64>, AnalysisError> {
    let groups = slice.lists.groups.len();
    let everyone: Vec<u32> = (0..exchanged.unit.len() as u32).collect();
    let mut cost = 0;
    let mut rates: Vec<(Box<dyn Statistic>, &[Extreme])> = Vec::new();
    for (rate, &place) in kept.iter().zip(places) {
        let Some(values) = exchanged.values.get(place).filter(|_| rate.groups.len() > 1) else { continue };
        cost += values.cost() * passes(values, groups);
        rates.push((values.statistic(&everyone, &exchanged.unit, exchanged.labels.len()), &rate.groups));
    }
    let how = Permutation { rounds: affordable(rounds, cost), strata: exchanged.strata.clone(), random };
    let gap = |labels: &[u32]| {
        let mut widest = None;
        for (statistic, kept) in &rates {
            let all = statistic.by_label(labels, groups);
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for (group, _) in *kept {
                let value = all.get(*group)?.0?;
                (low, high) = (low.min(value), high.max(value));
            }
            widest = Some(widest.unwrap_or(0.0_f64).max(high - low));
        }
        widest
    };
    Ok(permuted_gap(&exchanged.labels, how, cancel, gap)?)
}

fn bounds(
    slice: &Slice<'_>,
    kept: &[Kept<'_>],
    places: &[usize],
    resamples: u32,
    random: Random,
    cancel: &Cancel,
) -> Result<GapInterval, AnalysisError> {
    let owner = slice.exchange.clusters(&slice.lists);
    let clusters = owner.iter().max().map_or(0, |&last| last as usize + 1);
    let (mut families, mut cost) = (Vec::new(), 0);
    for (rate, &place) in kept.iter().zip(places) {
        let Some((id, _)) = slice.rates.get(place).filter(|_| rate.groups.len() > 1) else { continue };
        if id.metric.level == Level::Catalogue {
            return Ok(GapInterval::default());
        }
        cost += rate.values.cost() + owner.len();
        let share = id.metric.range == (0.0, 1.0);
        families.push(
            rate.groups.iter().map(|(group, _)| member(slice, rate.values, owner, *group, share)).collect(),
        );
    }
    let mut found = widest_gap(&families, clusters, affordable(resamples, cost), random, cancel)?;
    // Of rates within 0..=1 no two are further apart.
    let widest = places.iter().filter_map(|&place| slice.rates.get(place)).map(|(id, _)| id.metric.range);
    let widest = widest.map(|(low, high)| high - low).fold(0.0, f64::max);
    if let Some(interval) = &mut found.difference {
        interval.upper = interval.upper.min(widest);
    }
    Ok(found)
}

fn member(slice: &Slice<'_>, values: &Values, owner: &[u32], group: usize, share: bool) -> Member {
    let lists = slice.members.get(group).map(Vec::as_slice).unwrap_or_default();
    let of = |list: &u32| owner.get(*list as usize).copied().unwrap_or_default();
    let mut clusters: Vec<u32> = lists.iter().map(of).collect();
    clusters.sort_unstable();
    clusters.dedup();
    let unit: Vec<u32> =
        lists.iter().map(|list| clusters.binary_search(&of(list)).unwrap_or_default() as u32).collect();
    Member { statistic: values.statistic(lists, &unit, clusters.len()), clusters, share }
}

/// Adjusts p over all disparities of the table, and says each in a sentence.
pub(super) fn adjust(table: &mut FairnessTable) {
    let p: Vec<f64> = table.disparities.iter().map(|it| it.p.unwrap_or(f64::NAN)).collect();
    for (disparity, adjusted) in table.disparities.iter_mut().zip(benjamini_hochberg(&p)) {
        disparity.p_adjusted = Some(adjusted).filter(|p| !p.is_nan());
    }
    let said = |found: &Disparity| found.sentence(table.side(found.side).map_or("", |side| &side.metric));
    let said: Vec<String> = table.disparities.iter().map(said).collect();
    table.notes.extend(said);
}
