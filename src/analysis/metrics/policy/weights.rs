//! Importance weighting: sums per list become ips, snips, dr and the figures that say whether to
//! believe them. A missing weight is no weight of 0: where support is missing, there is no value.

use super::super::columns::{floats, numbers};
use super::super::prepared::Prepared;
use super::super::values::{Parts, Values};
use super::super::{AnalysisError, Rows};
use super::parts::{Figure, PolicyParts};
use super::reward;
use crate::analysis::{Bindings, SqlValue};
use crate::util::figures::number as figure;

/// Sums per list; every vector is as long as there are lists.
struct Sums {
    by_name: Vec<(&'static str, Vec<f64>)>,
}

/// What `policy/weights` returns per list.
const NAMES: [&str; 14] = [
    "rows",
    "unsupported",
    "untargeted",
    "improper",
    "rewarded",
    "modelled",
    "weights",
    "raw_weights",
    "squares",
    "largest",
    "clipped",
    "ips",
    "ips_weights",
    "dr",
];

impl Sums {
    fn read(prepared: &mut Prepared<'_>) -> Result<Self, AnalysisError> {
        let clip = prepared.asked().policy.clip.unwrap_or(f64::INFINITY);
        let clip = if clip.is_finite() { SqlValue::Float(clip) } else { SqlValue::Null };
        let batch = prepared.rows("policy/weights", &Bindings::new().value("clip", clip))?;
        let list = numbers(&batch, "list")?;
        let mut by_name = Vec::with_capacity(NAMES.len());
        for name in NAMES {
            let mut sums = vec![0.0; prepared.lists.query.len()];
            for (&list, value) in list.iter().zip(floats(&batch, name)?) {
                if let Some(sum) = sums.get_mut(list as usize) {
                    *sum = if value.is_nan() { 0.0 } else { value };
                }
            }
            by_name.push((name, sums));
        }
        Ok(Self { by_name })
    }

    fn of(&self, name: &str) -> &[f64] {
        self.by_name.iter().find(|(known, _)| *known == name).map_or(&[], |(_, sums)| sums)
    }

    fn total(&self, name: &str) -> f64 {
        self.of(name).iter().sum()
    }
}

pub(super) fn measure(prepared: &mut Prepared<'_>, id: &str) -> Result<Values, AnalysisError> {
    let sums = Sums::read(prepared)?;
    let (figure, first, second, support) = match id {
        "ips" => (Figure::Ratio, "ips", "rewarded", "rewarded"),
        "snips" => (Figure::Ratio, "ips", "ips_weights", "rewarded"),
        "dr" => (Figure::Ratio, "dr", "modelled", "modelled"),
        "weight_mean" => (Figure::Ratio, "raw_weights", "rows", "rows"),
        "ess" => (Figure::Effective, "weights", "squares", "rows"),
        _ => (Figure::Largest, "largest", "rows", "rows"),
    };
    for note in notes(&sums, prepared.asked()) {
        prepared.say(note);
    }
    let take = |name: &str| sums.of(name).to_vec();
    let missing = sums.of("rows").iter().zip(sums.of(support)).map(|(rows, used)| rows - used).collect();
    let parts = PolicyParts { figure, first: take(first), second: take(second), barred: take("unsupported") };
    Ok(Values { parts: Parts::Policy(parts), missing, support: take(support) })
}

/// What a reader must know before believing a weighted figure.
fn notes(sums: &Sums, rows: &Rows) -> Vec<String> {
    let mut notes: Vec<String> = unsupported(sums).into_iter().collect();
    if let Some((role, column)) = reward(rows) {
        notes.push(format!("reward: {column} (the {role})"));
    }
    let supported: Vec<f64> =
        sums.of("rows").iter().zip(sums.of("unsupported")).map(|(n, bad)| n - bad).collect();
    let all = supported.iter().sum::<f64>();
    if all == 0.0 {
        return notes;
    }
    let mean = sums.total("raw_weights") / all;
    let error = spread(sums.of("raw_weights"), &supported, mean);
    let largest = sums.of("largest").iter().copied().fold(0.0, f64::max);
    let squares = sums.total("squares");
    let effective = if squares > 0.0 { sums.total("weights").powi(2) / squares } else { 0.0 };
    notes.push(format!(
        "weights: mean {} ± {} (1 is expected), largest {}, effective sample size {effective:.0} of {all} rows",
        figure(mean),
        figure(1.96 * error),
        figure(largest)
    ));
    if (mean - 1.0).abs() > 2.576 * error && error > 0.0 {
        notes.push(format!(
            "the mean weight {} is not 1 beyond chance: do propensity, target and log belong together?",
            figure(mean)
        ));
    }
    notes.extend(clipping(rows.policy.clip, sums.total("clipped"), effective, all));
    notes
}

/// Why a group, or all rows, have no value.
fn unsupported(sums: &Sums) -> Option<String> {
    let (untargeted, improper) = (sums.total("untargeted"), sums.total("improper"));
    let unlikely = sums.total("unsupported") - untargeted - improper;
    let reasons = [
        (unlikely, "target > 0 but no propensity above 0"),
        (untargeted, "no target (write coalesce(target, 0) where the new policy never shows the item)"),
        (improper, "a target or a propensity that is no probability"),
    ];
    let said: Vec<String> = reasons
        .iter()
        .filter(|(count, _)| *count > 0.0)
        .map(|(count, what)| format!("{count} rows have {what}"))
        .collect();
    (!said.is_empty()).then(|| format!("no off-policy value where support is missing: {}", said.join("; ")))
}

/// What the clip did, or that one may be wanted.
fn clipping(clip: Option<f64>, clipped: f64, effective: f64, all: f64) -> Option<String> {
    match clip {
        Some(clip) => Some(format!(
            "weights are clipped at {}: {clipped} of {all} rows ({:.2} %); a clipped value is too low where rewards are above 0",
            figure(clip),
            100.0 * clipped / all
        )),
        None if effective < 0.01 * all => Some(
            "under 1 % of the rows carry the value: see `snips`, or set `clip` and accept its bias"
                .to_owned(),
        ),
        None => None,
    }
}

/// Standard error of a ratio of sums over independent lists.
fn spread(numerator: &[f64], denominator: &[f64], ratio: f64) -> f64 {
    let lists = numerator.len() as f64;
    let squares: f64 = numerator.iter().zip(denominator).map(|(n, d)| (n - ratio * d).powi(2)).sum();
    let total: f64 = denominator.iter().sum();
    if lists < 2.0 { f64::NAN } else { (squares * lists / (lists - 1.0)).sqrt() / total }
}
