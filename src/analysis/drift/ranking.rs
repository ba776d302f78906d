//! What another column of scores does to a ranking metric: both are computed as a metrics cell computes
//! them, and the change is taken query by query, so that what the queries have in common drops out.

use crate::analysis::metrics::{MetricsRequest, MetricsTable, Roles, Rows, evaluate};
use crate::analysis::stats::{Interval, Random, Ratio, bootstrap};
use crate::analysis::{AnalysisError, Queries};
use crate::util::cancel::Cancel;

/// A relation with both scores of every row.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    pub from: String,
    /// Columns of it.
    pub query: String,
    pub item: String,
    pub gain: String,
    pub before: String,
    pub after: String,
}

/// A metric before and after, over the queries that have a value both times.
#[derive(Debug, Clone, PartialEq)]
pub struct RankingChange {
    /// Canonical id, e.g. `ndcg@10`.
    pub metric: String,
    pub queries: u64,
    pub before: f64,
    pub after: f64,
    /// `after - before`.
    pub change: f64,
    /// 95 % of the change: percentile bootstrap of the queries' own changes (Sakai, "Statistical Reform
    /// in Information Retrieval?", 2014, on why paired). `None` with fewer than two queries.
    pub interval: Option<Interval>,
    pub higher_is_better: bool,
}

/// How `metric` changes; `None` where no query has a value.
pub fn ranking_change(
    queries: &mut dyn Queries,
    scored: &Scored,
    metric: &str,
    (resamples, seed): (u32, u64),
    cancel: &Cancel,
) -> Result<Option<RankingChange>, AnalysisError> {
    let mut of = |score: &str| evaluate(queries, &request(scored, score, metric), cancel, &mut |_, _| {});
    let (before, after) = (of(&scored.before)?, of(&scored.after)?);
    let higher_is_better = before.lines.first().is_none_or(|line| line.higher_is_better);
    let metric = before.lines.first().map_or_else(|| metric.to_owned(), |line| line.metric.clone());
    let pairs = paired(&before, &after);
    if pairs.is_empty() {
        return Ok(None);
    }
    let n = pairs.len() as f64;
    let sum = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>();
    let (mean_before, mean_after) = (sum(|pair| pair.0) / n, sum(|pair| pair.1) / n);
    let changes = Ratio::mean(pairs.iter().map(|(before, after)| after - before).collect());
    let intervals = bootstrap(&[&changes], pairs.len(), resamples, Random::new(seed), cancel)?;
    Ok(Some(RankingChange {
        metric,
        queries: pairs.len() as u64,
        before: mean_before,
        after: mean_after,
        change: sum(|pair| pair.1 - pair.0) / n,
        interval: intervals.into_iter().next().flatten(),
        higher_is_better,
    }))
}

fn request(scored: &Scored, score: &str, metric: &str) -> MetricsRequest {
    let named = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: named(&scored.query),
        item: named(&scored.item),
        gain: named(&scored.gain),
        score: named(score),
        ..Roles::default()
    };
    MetricsRequest {
        rows: Rows { from: scored.from.clone(), roles, relevant_at: 1.0, ..Rows::default() },
        show: vec![metric.to_owned()],
        per_list: true,
        ..MetricsRequest::default()
    }
}

/// The values of the queries that have one in both tables.
fn paired(before: &MetricsTable, after: &MetricsTable) -> Vec<(f64, f64)> {
    let values = |table: &MetricsTable| -> Vec<(String, f64)> {
        let lists = table.lists.iter();
        lists
            .flat_map(|lists| {
                let values = lists.values.first().cloned().unwrap_or_default();
                lists.queries.iter().cloned().zip(values).collect::<Vec<_>>()
            })
            .filter(|(_, value)| !value.is_nan())
            .collect()
    };
    let after: std::collections::HashMap<String, f64> = values(after).into_iter().collect();
    let before = values(before).into_iter();
    before.filter_map(|(query, before)| Some((before, *after.get(&query)?))).collect()
}
