//! Leave one word out: score minus the score with every piece of the word replaced by [MASK]. Needs
//! no gradient. Pieces of a word share its value equally, because only whole words are taken away.

use crate::analysis::scorer::Encoded;

use super::attribution::{ExplainError, TokenValues};
use super::probe::Probe;
use super::words::Words;

pub(super) fn attribute(
    probe: &mut Probe<'_>,
    input: &Encoded,
    words: &Words,
) -> Result<TokenValues, ExplainError> {
    probe.plan(1 + words.list.len());
    let absent = probe.absent_id();
    let score = probe.score(input)?;
    let mut values = vec![0.0; input.ids.len()];
    // Built batch by batch: a long text has many words, and each variant is as long as the text.
    for batch in words.list.chunks(probe.batch_of(input.ids.len())) {
        let variants: Vec<Encoded> = batch.iter().map(|word| without(input, &word.tokens, absent)).collect();
        for (word, left) in batch.iter().zip(probe.scores(&variants)?) {
            let share = (score - left) / word.tokens.len().max(1) as f64;
            for at in &word.tokens {
                if let Some(value) = values.get_mut(*at) {
                    *value = share;
                }
            }
        }
    }
    Ok(TokenValues { score, baseline_score: None, delta: None, converged: true, nodes: None, values })
}

/// The input with the tokens at these positions replaced.
fn without(input: &Encoded, tokens: &[usize], absent: u32) -> Encoded {
    let mut variant = input.clone();
    for at in tokens {
        if let Some(id) = variant.ids.get_mut(*at) {
            *id = absent;
        }
    }
    variant
}

#[cfg(test)]
mod tests {
    use super::super::closed_form::Power;
    use super::super::{ExplainMethod, ExplainOptions, Passes, explain};
    use crate::util::cancel::Cancel;

    #[test]
    fn difference_of_scores_on_a_quadratic_model() {
        let mut scorer = Power::new(2);
        let options = ExplainOptions { method: ExplainMethod::LeaveOneOut, ..Default::default() };
        let found =
            explain(&mut scorer, "跑鞋", Some("waterproof 靴"), &options, &Cancel::new(), &mut |_| {})
                .unwrap();
        let sum: f64 = found.tokens.iter().map(|t| scorer.value_of(&t.token)).sum();
        for (index, word) in found.words.iter().enumerate() {
            let gone: f64 =
                found.tokens.iter().filter(|t| t.word == index).map(|t| scorer.value_of(&t.token)).sum();
            let expected = (sum * sum - (sum - gone) * (sum - gone)) / 2.0;
            assert!((word.attribution - expected).abs() < 1e-4, "{word:?} {expected}");
        }
        assert_eq!(found.passes, Passes { forward: 5, backward: 0 });
    }
}
