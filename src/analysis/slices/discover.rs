//! From a request to a table: read, code, measure, split, search, adjust, prune, confirm.

use super::attributes::{self, Attribute, ROWS};
use super::columns::{self, Plan};
use super::lattice::{Bounds, Found, Tested, search};
use super::prune::{Bar, Kept, prune};
use super::request::DEEPEST;
use super::sample::{Item, Sample, halves};
use super::shapley::contributions;
use super::tally::Tally;
use super::units::{Measuring, Units};
use super::{Adjustment, HeldOut, SliceLine, SliceStatus, SlicesRequest, SlicesTable};
use crate::analysis::metrics::prepared::clean;
use crate::analysis::metrics::roles::require;
use crate::analysis::metrics::{AnalysisError, MetricId};
use crate::analysis::stats::benjamini_hochberg;
use crate::analysis::{Bindings, Queries};
use crate::util::cancel::Cancel;

/// Steps of [`discover`]'s progress.
const STEPS: u64 = 1000;
/// Of them, until everything is measured, and until everything is searched.
const MEASURED: u64 = 250;
const SEARCHED: u64 = 900;

/// Searches one half of the queries for slices in which the metric diverges from the rest, and confirms
/// what it finds on the other half.
///
/// `progress(done, total)` is called often; `cancel` stops within milliseconds. Leaves no relation behind.
///
/// # Errors
/// A request that cannot be met (unknown metric or column, a metric without values per list or row), what
/// the database says, or cancelled.
pub fn discover(
    queries: &mut dyn Queries,
    request: &SlicesRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<SlicesTable, AnalysisError> {
    let table = compute(queries, request, cancel, progress);
    clean(queries);
    // The next CREATE OR REPLACE does not mind, so a failure here is of no consequence.
    let _ = queries.run("metrics/drop", &Bindings::new().ident("table", ROWS));
    table
}

fn compute(
    queries: &mut dyn Queries,
    request: &SlicesRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<SlicesTable, AnalysisError> {
    let id = MetricId::parse(&request.metric)?;
    require(&id, &request.rows)?;
    check(request)?;
    progress(0, STEPS);
    let least = request.min_support.div_ceil(2).max(2);
    let mut notes = Vec::new();
    let mut plan = columns::plan(queries, request, &id)?;
    attributes::with_lengths(&mut plan);
    let rows = attributes::read(queries, &request.rows, &plan.candidates)?;
    progress(MEASURED / 5, STEPS);
    let attributes = attributes::attributes(queries, &mut plan, request.min_support.max(2), &mut notes)?;
    progress(MEASURED / 3, STEPS);
    let measuring = Measuring { rows: &rows, id: &id, empty: request.empty, attributes: &attributes, cancel };
    let mut share =
        |done: f64| progress(MEASURED / 3 + (done * (MEASURED - MEASURED / 3) as f64) as u64, STEPS);
    let mut units = measuring.run(queries, &mut share)?;
    let attributes = usable(attributes, &mut units, &mut plan);
    let (searched, held, clusters) = halves(std::mem::take(&mut units.measured), request.seed);
    let search_progress = &mut |done: u64, total: u64| {
        progress(MEASURED + (SEARCHED - MEASURED) * done / total.max(1), STEPS);
    };
    let bounds = Bounds { depth: request.depth, least: least as f64, alpha: request.alpha };
    let mut tested = search(&searched, bounds, cancel, search_progress)?;
    let adjusted = adjust(&mut tested, request.adjustment);
    let significant = adjusted.iter().take_while(|p| **p <= request.alpha).count();
    progress(SEARCHED, STEPS);
    let strongest = tested.kept.get(..significant).unwrap_or_default();
    let family = tested.slices as f64 * factor(&tested, request.adjustment);
    let bar = Bar { top: request.top, alpha: request.alpha, family };
    let kept = prune(&searched, strongest, bar, cancel)?;
    let half = Halves { searched: &searched, held: &held, attributes: &attributes };
    let mut lines = Vec::with_capacity(kept.slices.len());
    for found in &kept.slices {
        cancel.check()?;
        let at = tested.kept.iter().position(|other| other.items() == found.items());
        let p_adjusted = at.and_then(|at| adjusted.get(at)).copied().unwrap_or(1.0);
        lines.extend(half.line(found, p_adjusted));
    }
    confirm(&mut lines, least, request.alpha, id.metric.higher_is_better);
    let overall = half.overall();
    let notes = [
        said(&tested, &kept, significant as u64, request, overall.is_some()),
        who(&units, &searched, &held, clusters),
        left_out(&plan),
        notes,
        units.notes,
    ];
    progress(STEPS, STEPS);
    Ok(SlicesTable {
        metric: id.to_string(),
        higher_is_better: id.metric.higher_is_better,
        overall,
        lines,
        tested: tested.slices,
        significant: significant as u64,
        pruned: kept.by_parent + kept.by_others,
        notes: notes.into_iter().flatten().collect(),
    })
}

fn check(request: &SlicesRequest) -> Result<(), AnalysisError> {
    if !(1..=DEEPEST).contains(&request.depth) {
        let what = format!("depth is {}: slices have 1 to {DEEPEST} predicates", request.depth);
        return Err(AnalysisError::request(what).with_hint("e.g. depth = 2"));
    }
    if !(request.alpha > 0.0 && request.alpha < 1.0) {
        let what = format!("alpha is {}: a level lies between 0 and 1", request.alpha);
        return Err(AnalysisError::request(what).with_hint("e.g. alpha = 0.05"));
    }
    Ok(())
}

/// The attributes that have at least two different codes and do not change within a unit.
fn usable(attributes: Vec<Attribute>, units: &mut Units, plan: &mut Plan) -> Vec<Attribute> {
    let codes = std::mem::take(&mut units.measured.codes);
    let mut usable = Vec::new();
    for ((attribute, column), &varies) in attributes.into_iter().zip(codes).zip(&units.varies) {
        let same = column.windows(2).all(|pair| pair.first() == pair.last());
        if varies > 0 {
            let reason = "changes within a list: measure rows (ctr, say), or make a column per query";
            plan.left_out.push((attribute.name, reason.to_owned()));
        } else if same {
            plan.left_out.push((attribute.name, "the same everywhere".to_owned()));
        } else {
            usable.push(attribute);
            units.measured.codes.push(column);
        }
    }
    usable
}

/// Sorts what was kept by evidence, and adjusts p over all that was tested.
pub(super) fn adjust(tested: &mut Tested, adjustment: Adjustment) -> Vec<f64> {
    tested.kept.sort_by(|a, b| a.p.total_cmp(&b.p).then_with(|| b.z.abs().total_cmp(&a.z.abs())));
    let p: Vec<f64> = tested.kept.iter().map(|found| found.p).collect();
    // Those that were not kept have larger p: they change the count of tests, not the order.
    let more = tested.slices as f64 / (p.len() as f64).max(1.0);
    let adjusted = benjamini_hochberg(&p);
    let harmonic = self::factor(tested, adjustment);
    adjusted.into_iter().map(|p| (p * more * harmonic).min(1.0)).collect()
}

/// What p is multiplied by for tests that depend on each other in any way.
fn factor(tested: &Tested, adjustment: Adjustment) -> f64 {
    match adjustment {
        Adjustment::Hochberg => 1.0,
        Adjustment::Yekutieli => (1..=tested.slices).map(|i| 1.0 / i as f64).sum(),
    }
}

struct Halves<'h> {
    searched: &'h Sample,
    held: &'h Sample,
    attributes: &'h [Attribute],
}

/// sum x and sum w of a slice and of everything, over both halves.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    x: f64,
    w: f64,
    all_x: f64,
    all_w: f64,
}

impl Sums {
    fn value(&self) -> f64 {
        self.x / self.w
    }

    fn rest(&self) -> f64 {
        (self.all_x - self.x) / (self.all_w - self.w)
    }
}

impl Halves<'_> {
    fn both(&self) -> [&Sample; 2] {
        [self.searched, self.held]
    }

    fn overall(&self) -> Option<f64> {
        let sums = self.sums(&[Tally::default(); 2]);
        (sums.all_w > 0.0).then(|| sums.all_x / sums.all_w)
    }

    fn sums(&self, tallies: &[Tally; 2]) -> Sums {
        let mut sums = Sums::default();
        for (tally, sample) in tallies.iter().zip(self.both()) {
            let totals = &sample.totals;
            sums.x += tally.e + totals.ratio * tally.w;
            sums.w += tally.w;
            sums.all_x += totals.ratio * totals.w;
            sums.all_w += totals.w;
        }
        sums
    }

    fn divergence(&self, items: &[Item]) -> f64 {
        let sums = self.sums(&self.both().map(|sample| sample.tally(items)));
        // A part that covers everything diverges from nothing.
        let divergence = sums.value() - sums.rest();
        if divergence.is_finite() { divergence } else { 0.0 }
    }

    fn line(&self, found: &Found, p_adjusted: f64) -> Option<SliceLine> {
        let mut items = found.items().to_vec();
        items.sort_unstable();
        let of = |item: &Item| self.attributes.get(usize::from(item.attribute))?.predicate(item.code);
        let (words, sql): (Vec<&str>, Vec<String>) = items.iter().filter_map(of).unzip();
        let tallies = self.both().map(|sample| sample.tally(&items));
        let sums = self.sums(&tallies);
        let (value, rest) = (sums.value(), sums.rest());
        let [searched, held] = tallies;
        let totals = &self.held.totals;
        let evidence = totals.judge(&held, 0.0);
        let part = |mask: usize| {
            let part = items.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
            self.divergence(&part.map(|(_, item)| *item).collect::<Vec<_>>())
        };
        let spread = self.searched.totals.square.sqrt() * self.searched.totals.units / self.searched.totals.w;
        Some(SliceLine {
            predicates: words.into_iter().map(str::to_owned).collect(),
            n: (searched.n + held.n).round() as u64,
            value,
            rest,
            divergence: value - rest,
            effect: (spread > 0.0).then(|| (value - rest) / spread),
            searched: self.searched.totals.divergence(&searched)?,
            p: found.p,
            p_adjusted,
            held_out: HeldOut {
                n: held.n.round() as u64,
                value: totals.value(&held),
                divergence: totals.divergence(&held),
                p: evidence.map(|evidence| evidence.p),
            },
            status: SliceStatus::default(),
            contributions: contributions(items.len(), part),
            predicate: sql.join(" AND "),
        })
    }
}

/// Holm's adjustment of the held-out p over the table, and what each slice is then.
fn confirm(lines: &mut [SliceLine], least: u64, alpha: f64, higher_is_better: bool) {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    let raw = |lines: &[SliceLine], at: usize| lines.get(at).and_then(|line| line.held_out.p);
    order.retain(|&at| raw(lines, at).is_some());
    order.sort_by(|&a, &b| raw(lines, a).unwrap_or(1.0).total_cmp(&raw(lines, b).unwrap_or(1.0)));
    let family = order.len();
    let mut largest = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        let Some(line) = lines.get_mut(at) else { continue };
        largest = largest.max(line.held_out.p.unwrap_or(1.0) * (family - rank) as f64).min(1.0);
        line.held_out.p = Some(largest);
    }
    for line in lines {
        let held = &line.held_out;
        let same_side = held.divergence.is_some_and(|held| held * line.searched > 0.0);
        line.status = match held.p {
            _ if held.n < least => SliceStatus::TooFew,
            None => SliceStatus::TooFew,
            Some(p) if p <= alpha && same_side && (line.searched > 0.0) == higher_is_better => {
                SliceStatus::Better
            }
            Some(p) if p <= alpha && same_side => SliceStatus::Worse,
            Some(_) => SliceStatus::NotConfirmed,
        };
    }
}

/// How many slices were tried, and what became of them.
fn said(tested: &Tested, kept: &Kept, significant: u64, request: &SlicesRequest, any: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !any {
        notes.push("the metric has no value in any of these rows".to_owned());
        return notes;
    }
    let name = match request.adjustment {
        Adjustment::Hochberg => "Benjamini-Hochberg",
        Adjustment::Yekutieli => "Benjamini-Yekutieli",
    };
    notes.push(format!(
        "{} slices of up to {} predicates tested on one half of the queries, {significant} significant at {} ({name} over all of them)",
        tested.slices, request.depth, request.alpha
    ));
    let mut say = |count: u64, text: String| {
        if count > 0 {
            notes.push(text);
        }
    };
    let pruned = kept.by_parent + kept.by_others;
    say(
        pruned,
        format!(
            "{pruned} of those are not shown: {} explained by a parent (their rows are like its other rows), {} by other slices shown",
            kept.by_parent, kept.by_others
        ),
    );
    say(
        kept.not_looked_at,
        format!("{} more significant slices, with weaker evidence, were not looked at", kept.not_looked_at),
    );
    say(
        tested.below_support,
        format!(
            "{} combinations have less than half of the support of {} there: not tested, nor what they contain",
            tested.below_support, request.min_support
        ),
    );
    say(
        tested.same,
        format!("{} combinations select the same rows as one of their parts: tested once", tested.same),
    );
    notes
}

/// What the witnesses are, and how many of them were searched and held out.
fn who(units: &Units, searched: &Sample, held: &Sample, clusters: usize) -> Vec<String> {
    if clusters < 4 {
        let what = units.clusters;
        return vec![format!("{clusters} {what} with a value: too few to compare, so nothing was tested")];
    }
    vec![format!(
        "p from {} as witnesses: {} searched, {} held out; value, rest and divergence are over both",
        units.clusters, searched.totals.clusters, held.totals.clusters
    )]
}

/// Columns that were not sliced by, with reasons; the same reason is said once.
fn left_out(plan: &Plan) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, reason) in &plan.left_out {
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    let say = |(reason, names): (&str, Vec<&str>)| format!("not sliced by {}: {reason}", names.join(", "));
    reasons.into_iter().map(say).collect()
}
