//! Click rate without position bias: examination from a column, or fitted to the log's own counts;
//! then every click counts 1 / examination. Rows whose examination is not known have no say.

use super::super::columns::{floats, numbers};
use super::super::prepared::Prepared;
use super::super::values::{Parts, Values};
use super::super::{AnalysisError, Rows};
use super::position::{Cell, MOST_POSITIONS, PositionModel, TOLERANCE, fit};
use crate::analysis::Bindings;
use crate::analysis::stats::Ratio;
use crate::util::figures::number as figure;

/// Positions that the note on the curve names.
const NAMED: usize = 10;

pub(super) fn measure(prepared: &mut Prepared<'_>) -> Result<Values, AnalysisError> {
    let given = prepared.asked().policy.examination.clone();
    let (positions, examination) = match given {
        Some(_) => (Vec::new(), Vec::new()),
        None => curve(prepared)?,
    };
    let list = |values: &[f64]| {
        let words: Vec<String> = values.iter().map(|value| format!("{value:e}")).collect();
        format!("CAST([{}] AS DOUBLE[])", words.join(", "))
    };
    let bindings = Bindings::new()
        .expr("positions", list(&positions))
        .expr("examinations", list(&examination))
        .expr("examination", if given.is_some() { "logged.policy.examination" } else { "curve.examination" });
    let batch = prepared.rows("policy/examined", &bindings)?;
    let lists = prepared.lists.query.len();
    let column = |name: &str| -> Result<Vec<f64>, AnalysisError> {
        let mut sums = vec![0.0; lists];
        for (list, value) in numbers(&batch, "list")?.into_iter().zip(floats(&batch, name)?) {
            if let Some(sum) = sums.get_mut(list as usize) {
                *sum = value;
            }
        }
        Ok(sums)
    };
    let (rows, used, clicks) = (column("rows")?, column("used")?, column("clicks")?);
    let (debiased, squares) = (column("debiased")?, column("squares")?);
    let total = |values: &[f64]| values.iter().sum::<f64>();
    if total(&squares) > 0.0 {
        prepared.say(format!(
            "ctr_debiased: {} clicks, weighted by 1 / examination, are worth {:.0} (effective sample size){}",
            total(&clicks),
            total(&debiased).powi(2) / total(&squares),
            if given.is_some() { "" } else { "; its interval takes the fitted examination as known" }
        ));
    }
    let unknown = total(&column("unknown")?);
    if unknown > 0.0 {
        prepared.say(format!(
            "ctr_debiased: {unknown} labelled rows are left out: no examination within (0, 1] is known for them"
        ));
    }
    let missing = rows.iter().zip(&used).map(|(rows, used)| rows - used).collect();
    let ratio = Ratio { numerator: debiased, denominator: used.clone() };
    Ok(Values { parts: Parts::Ratio(ratio), missing, support: used })
}

/// Fits the position-based model to the log; positions and their examination where it is known.
fn curve(prepared: &mut Prepared<'_>) -> Result<(Vec<f64>, Vec<f64>), AnalysisError> {
    let with_query = prepared.asked().roles.query.is_some();
    let places = prepared.rows("policy/positions", &Bindings::new())?;
    let (positions, shown) = (floats(&places, "position")?, floats(&places, "shown")?);
    if positions.len() > MOST_POSITIONS {
        let message =
            format!("ctr_debiased: {} different positions are too many to compare", positions.len());
        let hint =
            format!("keep the first ones, e.g. where = \"position <= 100\" (at most {MOST_POSITIONS})");
        return Err(AnalysisError::request(message).with_hint(hint));
    }
    let pair = if with_query { "lists.query_number" } else { "0" };
    let batch = prepared.rows("policy/counts", &Bindings::new().expr("query", pair))?;
    let pairs = numbers(&batch, "pair")?;
    let place = |position: f64| positions.partition_point(|&known| known < position) as u32;
    let cells: Vec<Cell> = pairs
        .iter()
        .zip(floats(&batch, "position")?)
        .zip(floats(&batch, "shown")?.into_iter().zip(floats(&batch, "clicks")?))
        .map(|((&pair, position), (shown, clicks))| Cell { pair, position: place(position), shown, clicks })
        .collect();
    let count = pairs.last().map_or(0, |&last| last as usize + 1);
    let model = fit(&cells, count, &shown, &prepared.cancel.clone())?;
    let pair = if with_query { "(query, item) pairs" } else { "items" };
    for note in notes(&model, &positions, &shown, count, pair) {
        prepared.say(note);
    }
    let known =
        positions.into_iter().zip(model.examination).filter(|(_, look)| look.is_finite() && *look > 0.0);
    Ok(known.unzip())
}

fn notes(model: &PositionModel, positions: &[f64], shown: &[f64], pairs: usize, of: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let name = |p: u32| figure(positions.get(p as usize).copied().unwrap_or(f64::NAN));
    let names = |class: &[u32]| -> String {
        let mut all: Vec<String> = class.iter().take(NAMED).map(|&p| name(p)).collect();
        if class.len() > NAMED {
            all.push(format!("... {} more", class.len() - NAMED));
        }
        all.join(", ")
    };
    let fitted = model.classes.first().filter(|class| class.len() > 1);
    let Some(class) = fitted else {
        notes.push(format!(
            "ctr_debiased is n/a: examination is not identifiable, {pairs} {of} were clicked and seen at several \
             positions, and they tie no two positions together; name a column: examination = \"...\""
        ));
        return notes;
    };
    let look = |p: u32| model.examination.get(p as usize).copied().unwrap_or(f64::NAN);
    let mut curve: Vec<String> =
        class.iter().take(NAMED).map(|&p| format!("{} {:.3}", name(p), look(p))).collect();
    if class.len() > NAMED {
        curve.push(format!("... {} more", class.len() - NAMED));
    }
    notes.push(format!(
        "examination by position, fitted to {pairs} {of} that were clicked and seen at several positions: {}",
        curve.join(", ")
    ));
    if !model.settled {
        notes.push(format!(
            "the fit of examination moved by more than {TOLERANCE:e} (log) after {} rounds: little ties the positions together",
            model.rounds
        ));
    }
    let outside: Vec<u32> = (0..positions.len() as u32).filter(|p| !class.contains(p)).collect();
    if !outside.is_empty() {
        let rows: f64 = outside.iter().filter_map(|&p| shown.get(p as usize)).sum();
        notes.push(format!(
            "examination is not identifiable at the positions {}: no clicked item ties them to the others; {rows} rows are left out",
            names(&outside)
        ));
    }
    notes
}

/// Are the columns there that examination comes from: its own, or a position and an item?
pub(in super::super) fn has_examination(rows: &Rows) -> bool {
    rows.policy.examination.is_some() || (rows.roles.position.is_some() && rows.roles.item.is_some())
}
