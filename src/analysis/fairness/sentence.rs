//! A disparity in a sentence: for notes under the table.

use super::Disparity;
use super::disparity::GAP;
use crate::analysis::stats::Interval;
use crate::util::figures::number;

/// Excluded groups that are named.
const NAMED: usize = 5;

impl Disparity {
    /// `region: gap of ndcg@10 0.31 [0.12, 0.45], ratio 0.6 (south to north), p 0.001, adjusted 0.003`
    pub fn sentence(&self, metric: &str) -> String {
        let what = match self.name {
            GAP => format!("gap of {metric}"),
            name => name.replace('_', " "),
        };
        let mut text = format!("{}: {what} ", self.slice.join("*"));
        match (self.difference, &self.between) {
            (Some(difference), Some((low, high))) => {
                text.push_str(&number(difference));
                text.push_str(&bounds(self.interval));
                if let Some(ratio) = self.ratio {
                    text.push_str(&format!(", ratio {}{}", number(ratio), bounds(self.ratio_interval)));
                }
                text.push_str(&format!(" ({low} to {high}, {} groups)", self.groups));
                if let (Some(p), Some(adjusted)) = (self.p, self.p_adjusted) {
                    text.push_str(&format!(", p {}, adjusted {}", number(p), number(adjusted)));
                }
            }
            _ => text.push_str("is n/a: fewer than two groups can be measured"),
        }
        if !self.excluded.is_empty() {
            let named: Vec<&str> = self.excluded.iter().take(NAMED).map(String::as_str).collect();
            text.push_str(&format!("; left out: {}", named.join(", ")));
            if self.excluded.len() > NAMED {
                text.push_str(&format!(" and {} more", self.excluded.len() - NAMED));
            }
        }
        text
    }
}

fn bounds(interval: Option<Interval>) -> String {
    interval.map(|it| format!(" [{}, {}]", number(it.lower), number(it.upper))).unwrap_or_default()
}
