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
    let all = sums.total("rows");
    let mut notes = Vec::new();
    if all == 0.0 {
        return notes;
    }
    let count = |name: &str| sums.total(name);
    if count("unsupported") > 0.0 {
        let mut why = Vec::new();
        for (count, what) in [
            (
                count("unsupported") - count("untargeted") - count("improper"),
                "target > 0 but no propensity above 0",
            ),
            (
                count("untargeted"),
                "no target (write coalesce(target, 0) where the new policy never shows the item)",
            ),
            (count("improper"), "a target or a propensity that is no probability"),
        ] {
            if count > 0.0 {
                why.push(format!("{count} rows have {what}"));
            }
        }
        notes.push(format!("no off-policy value where support is missing: {}", why.join("; ")));
    }
    if let Some((role, column)) = reward(rows) {
        notes.push(format!("reward: {column} (the {role})"));
    }
    let (weights, squares) = (sums.of("raw_weights"), sums.of("rows"));
    let mean = count("raw_weights") / all;
    let error = spread(weights, squares, mean);
    let largest = sums.of("largest").iter().copied().fold(0.0, f64::max);
    let effective = if count("squares") > 0.0 { count("weights").powi(2) / count("squares") } else { 0.0 };
    notes.push(format!(
        "weights: mean {} ± {} (1 is expected), largest {}, effective sample size {:.0} of {all} rows",
        figure(mean),
        figure(1.96 * error),
        figure(largest),
        effective
    ));
    if (mean - 1.0).abs() > 2.576 * error && error > 0.0 {
        notes.push(format!(
            "the mean weight {} is not 1 beyond chance: do propensity, target and log belong together?",
            figure(mean)
        ));
    }
    match rows.policy.clip {
        Some(clip) => notes.push(format!(
            "weights are clipped at {}: {} of {all} rows ({:.2} %); a clipped value is biased downwards for rewards above 0",
            figure(clip),
            count("clipped"),
            100.0 * count("clipped") / all
        )),
        None if effective < 0.01 * all => notes.push(
            "under 1 % of the rows carry the value: look at `snips`, or set `clip` and accept its bias".to_owned(),
        ),
        None => {}
    }
    notes
}

/// Standard error of a ratio of sums over independent lists.
fn spread(numerator: &[f64], denominator: &[f64], ratio: f64) -> f64 {
    let lists = numerator.len() as f64;
    let squares: f64 = numerator.iter().zip(denominator).map(|(n, d)| (n - ratio * d).powi(2)).sum();
    let total: f64 = denominator.iter().sum();
    if lists < 2.0 { f64::NAN } else { (squares * lists / (lists - 1.0)).sqrt() / total }
}
