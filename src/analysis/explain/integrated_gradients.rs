//! Integrated gradients over the word embeddings, from [PAD] to the word, by Gauss-Legendre
//! quadrature with as many nodes as completeness needs.
//!
//! For token t: a_t = (e_t - b_t) . integral over x in [0, 1] of dF/de_t at b + x (e - b), where b is
//! the [PAD] embedding on every player and e itself on special tokens, which therefore get nothing.
//! All players move along the path together. F is the logit, never the probability: a saturated
//! sigmoid has no slope to integrate.
//!
//! Sum over t of a_t should be F(e) - F(b). What is missing is the error of the quadrature; delta
//! shows it as a share of |F(e) - F(b)|. Errors of words may cancel in that sum, so the nodes are doubled
//! until |delta| is within tolerance and no word moved by more than that share of the largest word.

use crate::analysis::scorer::Encoded;

use super::attribution::{ExplainError, ExplainOptions, TokenValues};
use super::gauss_legendre;
use super::probe::Probe;
use super::words::Words;

pub(super) fn attribute(
    probe: &mut Probe<'_>,
    input: &Encoded,
    words: &Words,
    options: &ExplainOptions,
) -> Result<TokenValues, ExplainError> {
    let mut nodes = options.nodes.max(1);
    let fixed = options.max_nodes <= nodes;
    let first = if fixed { 0 } else { nodes / 2 };
    probe.plan(2 + first + nodes);
    let path = Path::new(probe, input)?;
    let score = probe.score(input)?;
    let baseline_score = probe.score(&path.baseline)?;
    if path.players == 0 {
        return Ok(nothing_moves(score, baseline_score, input.ids.len(), probe, first + nodes));
    }
    let change = score - baseline_score;
    // Of the half rule; one node has none.
    let mut before = if first > 0 { Some(words.sums(&path.integrate(probe, input, first)?)) } else { None };
    loop {
        let values = path.integrate(probe, input, nodes)?;
        let gap = values.iter().sum::<f64>() - change;
        let sums = words.sums(&values);
        let settled = before.as_ref().is_none_or(|before| is_still(before, &sums, options.tolerance));
        let settled = settled && (before.is_some() || fixed);
        let converged = is_small(gap, change, score, options.tolerance) && settled;
        before = Some(sums);
        let next = nodes.saturating_mul(2).min(options.max_nodes);
        if converged || next <= nodes {
            return Ok(TokenValues {
                score,
                baseline_score: Some(baseline_score),
                delta: (change != 0.0).then(|| gap / change.abs()),
                converged,
                nodes: Some(nodes),
                values,
            });
        }
        nodes = next;
        probe.plan(nodes);
    }
}

/// Within tolerance, or too small for single precision to tell from zero.
fn is_small(gap: f64, change: f64, score: f64, tolerance: f64) -> bool {
    gap.abs() <= tolerance * change.abs() || gap.abs() <= 1e-6 * (1.0 + score.abs())
}

/// Did no word move by more than `tolerance` of the largest one, or more than single precision tells?
fn is_still(before: &[f64], now: &[f64], tolerance: f64) -> bool {
    let largest = now.iter().map(|word| word.abs()).fold(0.0, f64::max);
    let moved = before.iter().zip(now).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    moved <= tolerance * largest || moved <= 1e-6
}

/// Only special tokens: input and baseline are the same sequence.
fn nothing_moves(
    score: f64,
    baseline: f64,
    tokens: usize,
    probe: &mut Probe<'_>,
    nodes: usize,
) -> TokenValues {
    probe.unplan(nodes);
    TokenValues {
        score,
        baseline_score: Some(baseline),
        delta: Some(0.0),
        converged: true,
        nodes: Some(0),
        values: vec![0.0; tokens],
    }
}

/// The straight line from the baseline's embeddings to the input's.
struct Path {
    /// The input with every player's id replaced by [PAD].
    baseline: Encoded,
    players: usize,
    from: Vec<f32>,
    to: Vec<f32>,
}

impl Path {
    fn new(probe: &mut Probe<'_>, input: &Encoded) -> Result<Self, ExplainError> {
        let pad = probe.pad_id();
        let mut baseline = input.clone();
        let mut players = 0;
        for (id, special) in baseline.ids.iter_mut().zip(&input.special) {
            if !special {
                *id = pad;
                players += 1;
            }
        }
        let from = probe.embeddings(&baseline.ids)?;
        let to = probe.embeddings(&input.ids)?;
        Ok(Self { baseline, players, from, to })
    }

    /// One value per token, with the rule of `nodes` nodes. Gradients are summed as they come, so
    /// memory does not grow with the nodes.
    fn integrate(
        &self,
        probe: &mut Probe<'_>,
        input: &Encoded,
        nodes: usize,
    ) -> Result<Vec<f64>, ExplainError> {
        let rule = gauss_legendre::nodes(nodes);
        let mut slope = vec![0.0f64; self.to.len()];
        for batch in rule.chunks(probe.batch_of(input.ids.len())) {
            let points: Vec<Vec<f32>> = batch.iter().map(|node| self.at(node.x)).collect();
            for (node, found) in batch.iter().zip(probe.gradients(input, &points)?) {
                for (sum, g) in slope.iter_mut().zip(&found.gradient) {
                    *sum += node.weight * f64::from(*g);
                }
            }
        }
        let moved = slope.iter().zip(&self.from).zip(&self.to);
        let shares: Vec<f64> = moved.map(|((s, b), e)| s * (f64::from(*e) - f64::from(*b))).collect();
        Ok(shares.chunks(probe.hidden()).map(|token| token.iter().sum()).collect())
    }

    fn at(&self, x: f64) -> Vec<f32> {
        let x = x as f32;
        self.from.iter().zip(&self.to).map(|(b, e)| b + x * (e - b)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::closed_form::{Linear, Power};
    use super::super::{ExplainMethod, ExplainOptions, explain};
    use super::*;
    use crate::util::cancel::Cancel;

    fn run(scorer: &mut dyn crate::analysis::Scorer, options: &ExplainOptions) -> super::super::Attribution {
        explain(scorer, "跑鞋 男", Some("hiking 靴"), options, &Cancel::new(), &mut |_| {}).unwrap()
    }

    #[test]
    fn exact_on_a_linear_model() {
        let mut scorer = Linear::default();
        let found = run(&mut scorer, &ExplainOptions::default());
        for token in &found.tokens {
            let expected = scorer.value_of(&token.token);
            assert!((token.attribution - expected).abs() < 1e-5, "{token:?} {expected}");
        }
        assert!(found.converged && found.delta.unwrap().abs() < 1e-5);
        assert_eq!(found.passes.backward, 8 + 16);
        assert_eq!(found.passes.forward, 8 + 18);
    }

    #[test]
    fn exact_on_a_quadratic_model() {
        // F = s^2 / 2 with s the sum of token values, so a_t = v_t * s / 2 when the baseline is 0.
        let mut scorer = Power::new(2);
        let found = run(&mut scorer, &ExplainOptions { nodes: 1, max_nodes: 1, ..Default::default() });
        let sum: f64 = found.tokens.iter().map(|t| scorer.value_of(&t.token)).sum();
        assert!(sum.abs() > 0.5);
        for token in &found.tokens {
            let expected = scorer.value_of(&token.token) * sum / 2.0;
            assert!((token.attribution - expected).abs() < 1e-4, "{token:?} {expected}");
        }
        assert_eq!(found.nodes, Some(1));
    }

    #[test]
    fn nodes_are_raised_until_the_gap_is_small() {
        // A polynomial of degree 12 has a gradient of degree 11: one node is far off, six are exact.
        let options = ExplainOptions { nodes: 1, max_nodes: 128, ..Default::default() };
        let found = run(&mut Power::new(12), &options);
        assert!(found.converged, "{:?}", found.delta);
        assert!(found.nodes.unwrap() > 1 && found.nodes.unwrap() <= 16, "{:?}", found.nodes);
        let capped = run(&mut Power::new(12), &ExplainOptions { max_nodes: 1, ..options });
        assert!(!capped.converged && capped.delta.unwrap().abs() > 0.01);
        assert_eq!(capped.nodes, Some(1));
    }

    #[test]
    fn small_batches_change_nothing() {
        let whole = run(&mut Power::new(5), &ExplainOptions::default());
        let small = run(&mut Power::new(5), &ExplainOptions { batch_tokens: 1, ..Default::default() });
        assert_eq!(whole, small);
        assert_eq!(whole.method, ExplainMethod::IntegratedGradients);
    }

    /// A sum may be right while what it is a sum of is not.
    #[test]
    fn words_that_still_move_are_not_settled() {
        assert!(is_still(&[1.0, -0.999], &[1.005, -1.0], 0.01));
        assert!(!is_still(&[1.0, -1.0], &[1.02, -1.02], 0.01), "the gap is 0");
        assert!(is_still(&[0.0], &[1e-7], 0.01) && is_still(&[], &[], 0.01));
        let options = ExplainOptions { nodes: 2, max_nodes: 256, ..Default::default() };
        let found = run(&mut Power::new(24), &options);
        let exact =
            run(&mut Power::new(24), &ExplainOptions { nodes: 64, max_nodes: 64, ..Default::default() });
        let largest = exact.words.iter().map(|word| word.attribution.abs()).fold(0.0, f64::max);
        for (a, b) in found.words.iter().zip(&exact.words) {
            assert!((a.attribution - b.attribution).abs() <= 0.01 * largest, "{a:?} {b:?}");
        }
    }

    #[test]
    fn the_gap_counts_against_the_change_and_above_rounding() {
        assert!(is_small(0.009, 1.0, 5.0, 0.01));
        assert!(!is_small(0.011, 1.0, 5.0, 0.01));
        assert!(is_small(1e-7, 0.0, 0.0, 0.01));
    }
}
