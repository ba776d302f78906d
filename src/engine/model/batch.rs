//! Which inputs run together: sorted by length, so that little is padded, cut by a token budget, so
//! that memory and the time to the next cancel are bounded. Pure.

/// Groups input numbers into batches. Longest first, so that the last batches are short ones and no
/// worker is left waiting. A batch holds at most `budget` tokens, or one input that alone exceeds it.
pub fn plan(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    let length = |i: usize| lengths.get(i).copied().unwrap_or(0);
    order.sort_by_key(|&i| std::cmp::Reverse(length(i)));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut used = budget;
    for i in order {
        // The first of a batch is its longest, so counting every row at that length counts padding.
        let width = batches.last().and_then(|b| b.first()).map_or(0, |&f| length(f));
        match batches.last_mut() {
            Some(batch) if used + width.max(1) <= budget => {
                batch.push(i);
                used += width.max(1);
            }
            _ => {
                batches.push(vec![i]);
                used = length(i).max(1);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_inputs_run_alone_and_short_ones_together() {
        assert_eq!(plan(&[3, 90, 4, 4], 10), vec![vec![1], vec![2, 3], vec![0]]);
        assert!(plan(&[], 10).is_empty());
    }

    proptest! {
        #[test]
        fn every_input_runs_once_within_the_budget(lengths in prop::collection::vec(0usize..60, 0..80)) {
            let batches = plan(&lengths, 64);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for batch in &batches {
                let longest = batch.iter().map(|&i| lengths[i]).max().unwrap_or(0);
                prop_assert!(batch.len() == 1 || batch.len() * longest <= 64);
            }
        }
    }
}
