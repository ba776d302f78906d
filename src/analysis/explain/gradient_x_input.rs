//! Gradient x input: the slope of the logit at the input, times the word embedding, summed over the
//! embedding: a_t = e_t . dF/de_t. One backward pass, no baseline, no completeness.

use crate::analysis::scorer::Encoded;

use super::attribution::{ExplainError, TokenValues};
use super::probe::Probe;

pub(super) fn attribute(probe: &mut Probe<'_>, input: &Encoded) -> Result<TokenValues, ExplainError> {
    probe.plan(1);
    let at = probe.embeddings(&input.ids)?;
    let points = [at];
    let found = probe.gradients(input, &points)?;
    let [at] = points;
    let found = found.into_iter().next().unwrap_or_default();
    let shares: Vec<f64> =
        at.iter().zip(&found.gradient).map(|(e, g)| f64::from(*e) * f64::from(*g)).collect();
    Ok(TokenValues {
        score: found.score,
        baseline_score: None,
        delta: None,
        converged: true,
        nodes: None,
        values: shares.chunks(probe.hidden()).map(|token| token.iter().sum()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::closed_form::Power;
    use super::super::{ExplainMethod, ExplainOptions, Passes, explain};
    use crate::util::cancel::Cancel;

    #[test]
    fn slope_times_value_on_a_quadratic_model() {
        let mut scorer = Power::new(2);
        let options = ExplainOptions { method: ExplainMethod::GradientXInput, ..Default::default() };
        let found =
            explain(&mut scorer, "跑鞋", Some("boots 靴"), &options, &Cancel::new(), &mut |_| {}).unwrap();
        let sum: f64 = found.tokens.iter().map(|t| scorer.value_of(&t.token)).sum();
        for token in &found.tokens {
            let expected = scorer.value_of(&token.token) * sum;
            assert!((token.attribution - expected).abs() < 1e-4, "{token:?} {expected}");
        }
        assert!((found.score - sum * sum / 2.0).abs() < 1e-4);
        assert_eq!(found.passes, Passes { forward: 1, backward: 1 });
        assert_eq!((found.baseline_score, found.delta), (None, None));
    }
}
