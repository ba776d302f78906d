//! Catalogue metrics of lists of items.

use std::collections::{BTreeMap, BTreeSet};

/// How often each item of the catalogue is among the first `k` of a list.
pub fn exposures(lists: &[Vec<String>], catalogue: &BTreeSet<String>, k: usize) -> Vec<f64> {
    let mut times: BTreeMap<&String, f64> = catalogue.iter().map(|item| (item, 0.0)).collect();
    for item in lists.iter().flat_map(|list| list.iter().take(k)) {
        *times.entry(item).or_default() += 1.0;
    }
    times.into_values().collect()
}

pub fn coverage(exposures: &[f64]) -> f64 {
    exposures.iter().filter(|&&times| times > 0.0).count() as f64 / exposures.len() as f64
}

/// As the mean absolute difference of all pairs, over twice the mean; n - 1 for n.
pub fn gini(exposures: &[f64]) -> f64 {
    let n = exposures.len() as f64;
    let pairs: f64 = exposures.iter().flat_map(|a| exposures.iter().map(move |b| (a - b).abs())).sum();
    pairs / (2.0 * (n - 1.0) * exposures.iter().sum::<f64>())
}

/// Bits.
pub fn entropy(exposures: &[f64]) -> f64 {
    let total: f64 = exposures.iter().sum();
    let shares = exposures.iter().filter(|&&times| times > 0.0).map(|times| times / total);
    shares.map(|share| -share * share.log2()).sum()
}

/// Mean self-information of the first `k` items, per list.
pub fn novelty(lists: &[Vec<String>], k: usize) -> Vec<f64> {
    let showing = |item: &String| lists.iter().filter(|list| list.contains(item)).count() as f64;
    let all = lists.iter().filter(|list| !list.is_empty()).count() as f64;
    let of = |list: &Vec<String>| {
        let bits: Vec<f64> = list.iter().take(k).map(|item| -(showing(item) / all).log2()).collect();
        bits.iter().sum::<f64>() / bits.len() as f64
    };
    lists.iter().map(of).collect()
}

/// Mean over pairs of the first `k` texts of 1 - Jaccard of their words; NaN for fewer than two.
pub fn intra_list_diversity(texts: &[&str], k: usize) -> f64 {
    let words: Vec<BTreeSet<String>> =
        texts.iter().take(k).map(|text| words(text)).filter(|words| !words.is_empty()).collect();
    let (mut sum, mut pairs) = (0.0, 0.0);
    for (i, a) in words.iter().enumerate() {
        for b in words.iter().skip(i + 1) {
            let common = a.intersection(b).count() as f64;
            sum += 1.0 - common / a.union(b).count() as f64;
            pairs += 1.0;
        }
    }
    sum / pairs
}

/// Lower-case runs of letters and digits; Chinese by character.
fn words(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut word = String::new();
    for c in text.to_lowercase().chars().chain([' ']) {
        let han = matches!(c, '\u{3400}'..='\u{9fff}');
        if c.is_alphanumeric() && !han {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            words.insert(std::mem::take(&mut word));
        }
        if han {
            words.insert(c.to_string());
        }
    }
    words
}
