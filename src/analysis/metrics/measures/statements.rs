//! Metrics with a value per list: the statement that has it, in which column, and what that reads.

use crate::analysis::metrics::values::{PATIENCE, at};
use crate::analysis::metrics::{Level, MetricId};
use crate::analysis::{Bindings, SqlValue};

/// Prepared relations beside the rows themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis::metrics) enum Reads {
    Ranked,
    /// Ranked, and the best possible order.
    Ideal,
    /// Ranked, and what few metrics read of a row.
    Extras,
    /// Ranked, and clicks per item.
    Popular,
}

/// What a value per list comes from.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::analysis::metrics) struct Statement {
    pub id: &'static str,
    pub column: &'static str,
    pub bindings: Bindings,
    pub reads: Reads,
}

/// `None` where more than one statement is behind the metric. `top`: the gain that ERR is certain of;
/// `relevant_at`: the gain from which an item is relevant.
pub(in crate::analysis::metrics) fn statement(
    id: &MetricId,
    top: f64,
    relevant_at: f64,
) -> Option<Statement> {
    use Reads::{Extras, Ideal, Popular, Ranked};
    let k =
        |otherwise: i64| Bindings::new().value("k", SqlValue::Int(id.cutoff.map_or(otherwise, i64::from)));
    let patient = || at(id).value("patience", SqlValue::Float(PATIENCE));
    let (statement, column, bindings, reads) = match id.metric.id {
        _ if id.metric.level != Level::List => return None,
        "ndcg" => ("metrics/gain_at", "ndcg", at(id), Ideal),
        "ndcg_exp" => ("metrics/gain_at", "ndcg_exp", at(id), Ideal),
        "precision" | "recall" | "hit" | "f1" | "mrr" | "rbp" => {
            ("metrics/hits_at", id.metric.id, patient(), Ranked)
        }
        "dcg" | "dcg_exp" | "hits" | "judged" => ("metrics/top", id.metric.id, patient(), Ranked),
        "rbp.residual" => ("metrics/top", "residual", patient(), Ranked),
        "map" => ("metrics/average_precision", "map", at(id), Ranked),
        "err" => ("metrics/err", "err", at(id).value("top", SqlValue::Float(top)), Ranked),
        "bpref" => ("metrics/bpref", "bpref", Bindings::new(), Ranked),
        "rprec" => ("metrics/rprec", "rprec", Bindings::new(), Ranked),
        "iprec11" => ("metrics/interpolated", "iprec11", Bindings::new(), Ranked),
        "infap" => {
            let relevant = Bindings::new().value("relevant_at", SqlValue::Float(relevant_at));
            ("metrics/inferred", "infap", relevant, Extras)
        }
        "coverage.users" => ("metrics/enough", "enough", k(1), Ranked),
        "novelty" => ("metrics/novelty", "novelty", at(id), Ranked),
        "arp" | "longtail" | "serendipity" => ("metrics/popularity", id.metric.id, at(id), Popular),
        "ild" => ("metrics/ild", "ild", k(10), Ranked),
        "ild.category" => ("metrics/variety", "variety", at(id), Extras),
        "ild.embedding" => ("metrics/distance", "distance", k(10), Extras),
        "freshness" | "age" => ("metrics/ages", id.metric.id, at(id), Extras),
        "accuracy.seed_list" => ("metrics/seed", "seed_list", Bindings::new(), Ranked),
        "accuracy.seed_example" => ("metrics/seed", "seed_example", Bindings::new(), Ranked),
        "diversity.seed_mean" => ("metrics/seed", "seed_mean", Bindings::new(), Ranked),
        "relevance.seed_literal" => ("metrics/seed", "seed_literal", Bindings::new(), Ranked),
        "relevance.seed_example" => ("metrics/seed", "relevance_example", Bindings::new(), Ranked),
        _ => return None,
    };
    Some(Statement { id: statement, column, bindings, reads })
}
