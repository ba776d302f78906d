//! A metric as a user writes it (`ndcg@10`): parsing with suggestions, and the canonical spelling.

use std::fmt;

use super::AnalysisError;
use super::catalogue::METRICS;
use super::metric::{Cutoff, Metric};
use super::trec::of_trec;

/// A metric of the catalogue with its cut-off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricId {
    pub metric: &'static Metric,
    /// At least 1.
    pub cutoff: Option<u32>,
}

impl MetricId {
    /// Reads `ndcg@10`, or a name of trec_eval (`ndcg_cut_10`). Case (of ours) and surrounding blanks do not
    /// matter.
    pub fn parse(text: &str) -> Result<Self, AnalysisError> {
        let lower = text.trim().to_lowercase();
        let (name, cutoff) = match lower.split_once('@') {
            None => (lower.as_str(), None),
            Some((name, digits)) => match digits.parse::<u32>() {
                Ok(k) if k >= 1 => (name, Some(k)),
                _ => {
                    let message =
                        format!("`{}`: the cut-off after @ must be a whole number from 1", text.trim());
                    return Err(AnalysisError::request(message).with_hint(format!("write {name}@10")));
                }
            },
        };
        let named = || METRICS.iter().filter(|metric| metric.id == name);
        let fits = |metric: &&Metric| match metric.cutoff {
            Cutoff::Never => cutoff.is_none(),
            Cutoff::Optional => true,
            Cutoff::Required => cutoff.is_some(),
        };
        match (named().find(fits), named().next()) {
            (Some(metric), _) => Ok(Self { metric, cutoff }),
            (None, Some(metric)) => {
                let message = match metric.cutoff {
                    Cutoff::Never => format!("metric `{name}` takes no cut-off"),
                    _ => format!("metric `{name}` needs a cut-off"),
                };
                Err(AnalysisError::request(message).with_hint(format!("write {}", metric.spelling())))
            }
            (None, None) => {
                match of_trec(text) {
                    Some(Ok(ours)) => return Self::parse(&ours),
                    Some(Err(why)) => {
                        let message = format!("trec_eval's `{}` is left out: {why}", text.trim());
                        let hint = "`recscope docs metrics` lists what there is, trec_eval's names included";
                        return Err(AnalysisError::request(message).with_hint(hint));
                    }
                    None => {}
                }
                let hint = match nearest(name) {
                    Some(near) => {
                        let meant = match cutoff {
                            Some(k) if near.cutoff != Cutoff::Never => format!("{}@{k}", near.id),
                            _ => near.spelling(),
                        };
                        format!("did you mean {meant}? `recscope docs metrics` lists all")
                    }
                    None => "`recscope docs metrics` lists all".to_owned(),
                };
                Err(AnalysisError::request(format!("no metric is called `{name}`")).with_hint(hint))
            }
        }
    }
}

impl fmt::Display for MetricId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.metric.id)?;
        match self.cutoff {
            Some(k) => write!(f, "@{k}"),
            None => Ok(()),
        }
    }
}

/// The metric whose id is closest, if it is close enough to be meant.
fn nearest(name: &str) -> Option<&'static Metric> {
    let scored = METRICS.iter().map(|metric| (distance(name, metric.id), metric));
    let (far, metric) = scored.min_by_key(|(far, _)| *far)?;
    let by_start = || METRICS.iter().find(|metric| !name.is_empty() && metric.id.starts_with(name));
    // Two letters that changed places are two changes.
    let letters = name.chars().count();
    let close = if letters < 4 { 1 } else { (letters / 3).max(2) };
    if far <= close { Some(metric) } else { by_start() }
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    // Ids are short; a user's megabyte of text is not worth comparing.
    for (i, left) in a.chars().take(64).enumerate() {
        let mut diagonal = row.first().copied().unwrap_or(0);
        let mut before = i + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, right) in row.iter_mut().skip(1).zip(&b) {
            let here = (*cell + 1).min(before + 1).min(diagonal + usize::from(left != *right));
            diagonal = std::mem::replace(cell, here);
            before = here;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::metrics::Level;

    #[test]
    fn the_cutoff_tells_ranking_from_classification() {
        assert_eq!(MetricId::parse("precision@10").unwrap().metric.level, Level::List);
        assert_eq!(MetricId::parse("precision").unwrap().metric.level, Level::Row);
        assert_eq!(MetricId::parse(" NDCG@5 ").unwrap().to_string(), "ndcg@5");
        assert_eq!(MetricId::parse("map").unwrap().cutoff, None);
    }

    #[test]
    fn mistakes_get_a_suggestion() {
        let hint = |text| MetricId::parse(text).unwrap_err().hint().unwrap_or_default().to_owned();
        assert!(hint("ndgc@10").contains("ndcg"), "{}", hint("ndgc@10"));
        assert!(hint("diversity").contains("diversity.seed"), "{}", hint("diversity"));
        assert!(hint("auc@3").contains("write auc"), "{}", hint("auc@3"));
        assert!(hint("ndcg@0").contains("ndcg@10"), "{}", hint("ndcg@0"));
        assert!(hint("跑鞋").contains("docs metrics"));
    }

    #[test]
    fn every_spelling_parses_and_no_id_is_ambiguous() {
        for metric in METRICS {
            let text = metric.spelling().replace("[@K]", "").replace("@K", "@7");
            assert_eq!(MetricId::parse(&text).unwrap().metric, metric, "{text}");
            assert!(!metric.doc.is_empty() && !metric.formula.is_empty() && !metric.source.is_empty());
        }
    }
}
