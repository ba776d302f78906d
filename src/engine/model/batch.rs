//! Which inputs run together: sorted by length, so that little is padded, cut by a token budget, so
//! that memory and the time to the next cancel are bounded. Pure.

/// Groups input numbers into batches. Longest first, so that the last batches are short ones and no
/// worker is left waiting. A batch holds at most `budget` tokens, counted at the length of its longest
/// input, or one input that alone exceeds it. Where tokens are computed `step` at a time, batches end where
/// the last step is nearly full; 1 where that does not matter.
pub fn plan(lengths: &[usize], budget: usize, step: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    let length = |&i: &usize| lengths.get(i).copied().unwrap_or(0).max(1);
    order.sort_by_key(|i| std::cmp::Reverse(length(i)));
    let mut batches = Vec::new();
    let mut rest = &order[..];
    while let Some(longest) = rest.first().map(length) {
        let most = (budget / longest).clamp(1, rest.len());
        let of: Vec<usize> = rest[..most].iter().map(length).collect();
        let count = if most == rest.len() { most } else { cut(&of, step) };
        let (batch, left) = rest.split_at(count);
        batches.push(batch.to_vec());
        rest = left;
    }
    batches
}

/// How many of the inputs to take, at least three quarters of them: where the smallest share of the work
/// is wasted in the last step, as many as possible.
fn cut(lengths: &[usize], step: usize) -> usize {
    let (mut best, mut count, mut tokens) = (f64::INFINITY, lengths.len(), 0);
    for (i, length) in lengths.iter().enumerate() {
        tokens += length;
        let wasted = (tokens.next_multiple_of(step.max(1)) - tokens) as f64 / tokens as f64;
        if 4 * (i + 1) >= 3 * lengths.len() && wasted <= best {
            (best, count) = (wasted, i + 1);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_inputs_run_alone_and_short_ones_together() {
        assert_eq!(plan(&[3, 90, 4, 4], 10, 1), vec![vec![1], vec![2, 3], vec![0]]);
        assert!(plan(&[], 10, 1).is_empty());
    }

    #[test]
    fn batches_end_on_whole_steps_where_they_can() {
        // 19 of 20 tokens fit, 18 fill 30 steps of 12.
        let batches = plan(&[20; 100], 384, 12);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [18, 18, 18, 18, 18, 10]);
        assert_eq!(plan(&[20; 100], 384, 1)[0].len(), 19);
    }

    proptest! {
        #[test]
        fn every_input_runs_once_within_the_budget(
            lengths in prop::collection::vec(0usize..60, 0..80),
            step in 1usize..20,
        ) {
            let batches = plan(&lengths, 64, step);
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
