//! Whether a change of scores may pass: by the ranking where there are judgments, else by the order.

use super::{RankingChange, ScoreDrift};

/// What may be lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// Of the metric, in its own unit: the interval's worse end must not lose more.
    pub tolerance: f64,
    /// Without judgments: the rank correlation must reach this.
    pub least_spearman: f64,
}

impl Default for Gate {
    /// A hundredth of nDCG, which is less than raters disagree by; 0.99 of rank correlation.
    fn default() -> Self {
        Self { tolerance: 0.01, least_spearman: 0.99 }
    }
}

/// What the gate says, and by which figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub passes: bool,
    pub why: String,
}

impl Gate {
    /// A figure that does not exist lets nothing pass, and neither does a lost score.
    pub fn judge(&self, scores: &ScoreDrift, ranking: Option<&RankingChange>) -> Verdict {
        let verdict = |passes, why| Verdict { passes, why };
        if scores.unpaired > 0 {
            return verdict(false, format!("{} rows have a score on one side only", scores.unpaired));
        }
        if let Some(change) = ranking {
            let worse = match change.interval {
                None => return verdict(false, "too few queries for an interval of the change".into()),
                Some(interval) if change.higher_is_better => interval.lower,
                Some(interval) => -interval.upper,
            };
            let what = format!("{} may lose {:.4} (95 %)", change.metric, (-worse).max(0.0));
            return match worse >= -self.tolerance {
                true => verdict(true, format!("{what}, no more than {}", self.tolerance)),
                false => verdict(false, format!("{what}, more than {}", self.tolerance)),
            };
        }
        let least = self.least_spearman;
        match scores.spearman {
            None => verdict(false, "there is no rank correlation: all scores of a side are equal".into()),
            Some(rho) if rho >= least => verdict(true, format!("Spearman {rho:.4}, at least {least}")),
            Some(rho) => verdict(false, format!("Spearman {rho:.4}, below {least}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::stats::Interval;

    #[test]
    fn the_worse_end_of_the_interval_decides() {
        let scores = ScoreDrift { rows: 10, spearman: Some(0.5), ..ScoreDrift::default() };
        let change = |lower, upper| RankingChange {
            metric: "ndcg@10".into(),
            queries: 10,
            before: 0.5,
            after: 0.5,
            change: 0.0,
            interval: Some(Interval { lower, upper }),
            higher_is_better: true,
        };
        let gate = Gate::default();
        assert!(gate.judge(&scores, Some(&change(-0.009, 0.02))).passes);
        assert!(!gate.judge(&scores, Some(&change(-0.011, 0.02))).passes);
        let lower_is_better = RankingChange { higher_is_better: false, ..change(-0.5, 0.02) };
        assert!(!gate.judge(&scores, Some(&lower_is_better)).passes);
        assert!(!gate.judge(&scores, Some(&RankingChange { interval: None, ..change(0.0, 0.0) })).passes);
    }

    #[test]
    fn without_judgments_the_order_decides() {
        let scores = |spearman, unpaired| ScoreDrift { spearman, unpaired, ..ScoreDrift::default() };
        let gate = Gate::default();
        assert!(gate.judge(&scores(Some(0.995), 0), None).passes);
        assert!(!gate.judge(&scores(Some(0.98), 0), None).passes);
        assert!(!gate.judge(&scores(None, 0), None).passes);
        assert!(!gate.judge(&scores(Some(1.0), 1), None).passes);
    }
}
