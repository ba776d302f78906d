//! Diversity of relevant items over subtopics: alpha-nDCG and subtopic recall. Which item covers what
//! comes from SQL; the greedy best order is here.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::analysis::Bindings;
use crate::analysis::metrics::columns::{floats, numbers};
use crate::analysis::metrics::prepared::Prepared;
use crate::analysis::metrics::values::{ByList, Values, listwise};
use crate::analysis::metrics::{AnalysisError, Empty, MetricId};

/// What is lost of a subtopic each time it was seen.
const ALPHA: f64 = 0.5;

/// A relevant item.
#[derive(Debug, Clone, PartialEq)]
struct Document {
    /// From 1; infinite where it was not retrieved.
    rank: f64,
    subtopics: Vec<u32>,
}

pub(super) fn measure(
    prepared: &mut Prepared<'_>,
    id: &MetricId,
    empty: Empty,
) -> Result<Values, AnalysisError> {
    prepared.rank()?;
    prepared.extras()?;
    let batch = prepared.rows("metrics/subtopics", &Bindings::new())?;
    let covers = numbers(&batch, "document")?.into_iter().zip(floats(&batch, "rank")?);
    let cells = covers.zip(numbers(&batch, "subtopic")?).collect();
    let lists = prepared.lists.query.len();
    let cells = ByList::new(lists, &numbers(&batch, "list")?, cells);
    let k = id.cutoff.map_or(f64::INFINITY, f64::from);
    let value = |list: usize| {
        let documents = documents(cells.of(list));
        if id.metric.id == "alpha_ndcg" { alpha_ndcg(&documents, k) } else { recall(&documents, k) }
    };
    Ok(listwise((0..lists).map(value).collect(), empty))
}

fn documents(cells: &[((u32, f64), u32)]) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    let mut before = None;
    for &((document, rank), subtopic) in cells {
        if before != Some(document) {
            let rank = if rank.is_nan() { f64::INFINITY } else { rank };
            documents.push(Document { rank, subtopics: Vec::new() });
            before = Some(document);
        }
        if let Some(last) = documents.last_mut() {
            last.subtopics.push(subtopic);
        }
    }
    documents
}

/// How often each subtopic was seen.
struct Seen(Vec<i32>);

impl Seen {
    fn none(documents: &[Document]) -> Self {
        let most = documents.iter().flat_map(|document| &document.subtopics).max();
        Self(vec![0; most.map_or(0, |&most| most as usize + 1)])
    }

    fn gain(&self, document: &Document) -> f64 {
        let times = document.subtopics.iter().filter_map(|&subtopic| self.0.get(subtopic as usize));
        times.map(|&times| (1.0 - ALPHA).powi(times)).sum()
    }

    fn take(&mut self, document: &Document) {
        for &subtopic in &document.subtopics {
            if let Some(times) = self.0.get_mut(subtopic as usize) {
                *times += 1;
            }
        }
    }
}

fn alpha_ndcg(documents: &[Document], k: f64) -> f64 {
    if documents.is_empty() {
        return f64::NAN;
    }
    let mut order: Vec<&Document> = documents.iter().filter(|document| document.rank <= k).collect();
    order.sort_by(|a, b| a.rank.total_cmp(&b.rank));
    let mut seen = Seen::none(documents);
    let mut sum = 0.0;
    for document in order {
        sum += seen.gain(document) / (document.rank + 1.0).log2();
        seen.take(document);
    }
    // Greedy is not always the best order: what beats it counts as 1.
    (sum / ideal(documents, k)).min(1.0)
}

/// A document in the queue of the greedy order: the most gain first, then the last document by id, as
/// in ndeval (Clarke, TREC Web Track 2009 to 2012), whose sort leaves ties so.
struct Waiting {
    gain: f64,
    document: usize,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then(self.document.cmp(&other.document))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

/// Discounted gains of the greedy order. Gains only fall as subtopics are seen, so a document whose
/// gain is still the one it waited with, and the largest, is the best of all.
fn ideal(documents: &[Document], k: f64) -> f64 {
    let mut seen = Seen::none(documents);
    let waiting =
        |document| Waiting { gain: documents.get(document).map_or(0.0, |d| seen.gain(d)), document };
    let mut queue: BinaryHeap<Waiting> = (0..documents.len()).map(waiting).collect();
    let (mut rank, mut sum) = (1.0_f64, 0.0);
    while let Some(best) = queue.pop() {
        let Some(document) = documents.get(best.document) else { continue };
        let gain = seen.gain(document);
        if gain < best.gain {
            queue.push(Waiting { gain, ..best });
            continue;
        }
        sum += gain / (rank + 1.0).log2();
        seen.take(document);
        rank += 1.0;
        if rank > k {
            break;
        }
    }
    sum
}

fn recall(documents: &[Document], k: f64) -> f64 {
    let mut all: Vec<u32> =
        documents.iter().flat_map(|document| document.subtopics.iter().copied()).collect();
    let top = documents.iter().filter(|document| document.rank <= k);
    let mut found: Vec<u32> = top.flat_map(|document| document.subtopics.iter().copied()).collect();
    for subtopics in [&mut all, &mut found] {
        subtopics.sort_unstable();
        subtopics.dedup();
    }
    if all.is_empty() { f64::NAN } else { found.len() as f64 / all.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The queue picks what a look at every document in every step picks.
    #[test]
    fn the_greedy_order_is_greedy() {
        let mut state = 11u64;
        let mut next = |most: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % most
        };
        for _ in 0..200 {
            let documents: Vec<Document> = (0..next(8) + 1)
                .map(|_| {
                    let mut subtopics: Vec<u32> = (0..next(3) + 1).map(|_| next(4) as u32).collect();
                    subtopics.sort_unstable();
                    subtopics.dedup();
                    Document { rank: 1.0, subtopics }
                })
                .collect();
            let mut left: Vec<&Document> = documents.iter().collect();
            let (mut seen, mut sum, mut rank) = (Seen::none(&documents), 0.0, 1.0_f64);
            while !left.is_empty() {
                let mut best = 0;
                for (index, document) in left.iter().enumerate() {
                    if seen.gain(document) >= seen.gain(left[best]) {
                        best = index;
                    }
                }
                let document = left.remove(best);
                sum += seen.gain(document) / (rank + 1.0).log2();
                seen.take(document);
                rank += 1.0;
            }
            assert!((ideal(&documents, f64::INFINITY) - sum).abs() < 1e-12);
        }
    }
}
