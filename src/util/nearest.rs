//! "Did you mean": the word of a list that somebody probably wanted to write.

/// The candidate nearest to `word`, if it is near enough to be what was meant: at most a third of
/// the letters differ (one in short words), case ignored; or the one that begins with the word,
/// or with which the word begins.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    let letters = wanted.chars().count();
    if letters == 0 || letters > 200 {
        return None;
    }
    let allowed = (letters / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        let cut_short = letters >= 3 && lower.starts_with(&wanted);
        let drawn_out = lower.chars().count() >= 3 && wanted.starts_with(&lower);
        if lower.chars().count().abs_diff(letters) > allowed && !cut_short && !drawn_out {
            continue;
        }
        let mut distance = edit_distance(&wanted, &lower);
        if cut_short || drawn_out {
            distance = distance.min(allowed);
        }
        // A word of one letter shares nothing with a candidate that it fully replaces.
        let near = distance <= allowed && (distance < letters || distance == 0);
        if near && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`
/// (optimal string alignment).
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, ca) in a.chars().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, cb) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(ca != *cb)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && previous == Some(*cb) && ca == b[j - 1] {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
        previous = Some(ca);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        assert_eq!(edit_distance("query", "query"), 0);
        assert_eq!(edit_distance("qeury", "query"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("商品", "商品名"), 1);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }

    #[test]
    fn nearest_is_near_or_nothing() {
        assert_eq!(nearest("qurey", ["item", "query"]), Some("query"));
        assert_eq!(nearest("impresions", ["impressions", "items"]), Some("impressions"));
        assert_eq!(nearest("zzz", ["query", "item"]), None);
        assert_eq!(nearest("min_sup", ["min_support", "metric"]), Some("min_support"));
        assert_eq!(nearest("Query", ["query"]), Some("query"));
        assert_eq!(nearest("positon", ["pos", "q"]), Some("pos"));
        assert_eq!(nearest("positon", ["pos", "position"]), Some("position"));
        assert_eq!(nearest("搜索次", ["搜索词", "商品"]), Some("搜索词"));
    }
}
