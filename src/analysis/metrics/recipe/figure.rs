//! What one metric's recipe has of its own: the statement of its values, and what is made of them.

use super::Step;
use crate::analysis::metrics::measures::{FLOOR, Statement, statement};
use crate::analysis::metrics::values::{Rate, TOP_GAIN, Weights, at, rate};
use crate::analysis::metrics::{Denominator, Empty, Level, MetricId, Rows};
use crate::analysis::{Bindings, SqlValue};
use crate::terms::quote_ident;

/// The probability of the positive class, over `score`: the score itself where all lie within 0 and 1.
/// For statements that read the rows themselves.
const PROBABILITY: &str = "CASE WHEN (SELECT coalesce(min(score) >= 0 AND max(score) <= 1, TRUE) FROM recscope_rows \
                           WHERE isfinite(score)) \
                           THEN CASE WHEN isfinite(score) THEN score END ELSE 1 / (1 + exp(-score)) END";

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Figure {
    /// A value per list, and what is made of them.
    Lists(Statement, Mean),
    /// Sums per list, an aggregate of them, and what n counts.
    Sums { statement: &'static str, value: String, n: String },
    /// A statement's rows, and the statement that makes the value of them.
    Rows { statement: &'static str, by: &'static str },
    /// Times shown per item, and an aggregate of them.
    Items(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mean {
    Arithmetic,
    /// With a floor, as in GMAP.
    Geometric,
}

impl Figure {
    /// `None`: more than SQL is behind the metric.
    pub fn of(id: &MetricId, relevant_at: f64) -> Option<Self> {
        let rows = |statement, by| Some(Self::Rows { statement, by });
        match (id.metric.level, id.metric.id) {
            (_, "revenue") => Some(mean_of("revenue", "revenue_rows", false)),
            (_, "margin") => Some(mean_of("margin", "margin_rows", false)),
            (_, "mae") => Some(mean_of("absolute", "rated", false)),
            (_, "rmse") => Some(mean_of("squared", "rated", true)),
            (_, "auc") => rows("metrics/scores", "recipes/auc"),
            (_, "gauc") => rows("metrics/scores", "recipes/gauc"),
            (_, "ap") => rows("metrics/scores", "recipes/average_precision"),
            (_, "ece") => rows("metrics/calibration", "recipes/ece"),
            (_, "calibration" | "frequency" | "confidence") => Some(one_bin(id)),
            (_, "coverage") => Some(Self::Items("avg((times > 0)::DOUBLE)")),
            (_, "gini") => {
                Some(Self::Items("sum((2 * place - n - 1) * times) / nullif((max(n) - 1) * sum(times), 0)"))
            }
            (_, "entropy") => {
                Some(Self::Items("sum(times / total * log2(total / nullif(times, 0))) FILTER (total > 0)"))
            }
            (Level::List, "diversity.seed_sum") => Some(Self::Sums {
                statement: "metrics/seed",
                value: "1 / nullif(sum(shown), 0)".into(),
                n: "count(*) FILTER (shown > 0)".into(),
            }),
            (Level::List, "gmap") => {
                let of_map = Statement { bindings: at(id), ..of_map()? };
                Some(Self::Lists(of_map, Mean::Geometric))
            }
            (Level::List, _) => {
                statement(id, TOP_GAIN, relevant_at).map(|of| Self::Lists(of, Mean::Arithmetic))
            }
            (Level::Row, "accuracy" | "precision" | "recall" | "f1" | "fpr" | "fnr" | "selection_rate")
            | (Level::Row, "log_loss" | "brier" | "ctr" | "purchase_rate" | "cvr") => {
                let Rate { numerator, denominator, support, .. } = rate(id);
                Some(Self::Sums {
                    statement: "metrics/outcomes",
                    value: format!("{} / nullif({}, 0)", sum(numerator), sum(denominator)),
                    n: sum(support),
                })
            }
            _ => None,
        }
    }

    /// Up to `recscope_values`.
    pub fn values(&self, rows: &Rows, id: &MetricId, empty: Empty) -> Vec<Step> {
        let probable = |statement| match statement {
            "metrics/outcomes" | "metrics/calibration" => Bindings::new().expr("probability", PROBABILITY),
            _ => Bindings::new(),
        };
        match self {
            Self::Lists(of, _) => per_list(of, rows, id, empty),
            Self::Sums { statement, .. } | Self::Rows { statement, .. } => {
                vec![Step::new("recscope_values", statement, probable(statement))]
            }
            Self::Items(_) => vec![Step::new("recscope_values", "metrics/exposure", at(id))],
        }
    }

    /// From `recscope_values` to a value per side.
    pub fn measured(&self, side: &str) -> Step {
        let side = Bindings::new().expr("side", side);
        let step = |statement, bindings| Step::new("recscope_measured", statement, bindings);
        match self {
            Self::Lists(of, mean) => {
                let column = quote_ident(of.column);
                let known = format!("FILTER (isfinite({column}))");
                let value = match mean {
                    Mean::Arithmetic => format!("avg({column}) {known}"),
                    Mean::Geometric => format!("exp(avg(ln(greatest({column}, {FLOOR:?}))) {known})"),
                };
                step("recipes/measured", side.expr("value", value).expr("n", format!("count(*) {known}")))
            }
            Self::Sums { value, n, .. } => step("recipes/measured", side.expr("value", value).expr("n", n)),
            Self::Rows { by, .. } => step(by, side),
            Self::Items(value) => step("recipes/concentration", side.expr("value", *value)),
        }
    }
}

/// The statement of a value per list, and what conventions make of it.
fn per_list(of: &Statement, rows: &Rows, id: &MetricId, empty: Empty) -> Vec<Step> {
    let redivided = of.column == "map" && rows.rules.denominator == Denominator::AtMostCutoff;
    let k = id.cutoff.filter(|_| redivided);
    let zeros = empty == Empty::Zero;
    let found = if zeros { "recscope_found" } else { "recscope_values" };
    let mut own = Step::new(found, of.id, of.bindings.clone());
    if of.id == "metrics/err" {
        own.bindings.values.retain(|(name, _)| name != "top");
        let top = format!("greatest({TOP_GAIN:?}, (SELECT coalesce(max(gain), 0) FROM recscope_rows))");
        own.terms.push(("top", top));
    }
    let mut steps = vec![own];
    if let Some(k) = k {
        steps.iter_mut().for_each(|step| step.table = "recscope_average_precision".to_owned());
        let bindings = Bindings::new().value("k", SqlValue::Int(i64::from(k)));
        steps.push(Step::new(found, "recipes/redivided", bindings));
    }
    if zeros {
        let column = Bindings::new().ident("value", of.column);
        steps.push(Step::new("recscope_values", "recipes/zeros", column));
    }
    steps
}

fn of_map() -> Option<Statement> {
    statement(&MetricId::parse("map").ok()?, TOP_GAIN, 1.0)
}

fn mean_of(sum: &str, rows: &str, root: bool) -> Figure {
    let mean = format!("sum({sum}) / nullif(sum({rows}), 0)");
    let value = if root { format!("sqrt({mean})") } else { mean };
    Figure::Sums { statement: "metrics/sums", value, n: format!("sum({rows})") }
}

/// Bin K of the reliability table, counted from 1.
fn one_bin(id: &MetricId) -> Figure {
    let inside =
        |column: &str| format!("sum({column}) FILTER (bin = {})", i64::from(id.cutoff.unwrap_or(1)) - 1);
    let rows = inside("rows");
    let above = match id.metric.id {
        "frequency" => inside("label"),
        "confidence" => inside("p"),
        _ => format!("abs({} - {})", inside("p"), inside("label")),
    };
    let value = format!("{above} / nullif({rows}, 0)");
    Figure::Sums { statement: "metrics/calibration", value, n: rows }
}

/// `sum(tp) + sum(fp)`, a column counted twice as `2 * sum(tp)`.
fn sum(weights: Weights) -> String {
    let term = |&(column, weight): &(&str, f64)| match weight {
        1.0 => format!("sum({})", quote_ident(column)),
        weight => format!("{weight} * sum({})", quote_ident(column)),
    };
    let terms: Vec<String> = weights.iter().map(term).collect();
    if terms.len() == 1 { terms.concat() } else { format!("({})", terms.join(" + ")) }
}
