//! Which words moved a score: attribution methods over the [`Scorer`](super::Scorer) seam, and the
//! one entry that runs them. No tensor, no model, no thread, nothing that knows a notebook.
//!
//! Players are words (Chinese by character), never word pieces, and a word is taken away by
//! changing token ids, never by changing the text and tokenising again.

mod attribution;
#[cfg(test)]
mod closed_form;
pub mod gauss_legendre;
mod gradient_x_input;
mod integrated_gradients;
mod leave_one_out;
mod methods;
mod probe;
pub mod words;

pub use crate::terms::ExplainMethod;
pub use attribution::{Attribution, ExplainError, ExplainOptions, Passes, TokenShare, WordShare};
pub use methods::{METHODS, MethodInfo};
pub use probe::ExplainProgress;

use crate::analysis::Scorer;
use crate::util::cancel::Cancel;

use attribution::TokenValues;
use probe::Probe;

/// Attributes the score of `query` (with `text`: of the pair) to its words.
///
/// `progress` is told before the first pass and after every batch. Cancelling is noticed between
/// batches of at most [`ExplainOptions::batch_tokens`] tokens (and inside one, where the scorer
/// itself looks at the same flag).
///
/// # Errors
/// [`ExplainError::Cancelled`]; [`ExplainError::Scorer`] with the model's own words;
/// [`ExplainError::NotFinite`] when the model gives NaN or infinity, because no share of that
/// means anything.
pub fn explain(
    scorer: &mut dyn Scorer,
    query: &str,
    text: Option<&str>,
    options: &ExplainOptions,
    cancel: &Cancel,
    progress: &mut dyn FnMut(ExplainProgress),
) -> Result<Attribution, ExplainError> {
    let input = scorer.encode(query, text)?;
    let words = words::find_words(query, text, &input);
    let mut probe = Probe::new(scorer, options.batch_tokens, cancel, progress);
    let found: TokenValues = match options.method {
        ExplainMethod::IntegratedGradients => {
            integrated_gradients::attribute(&mut probe, &input, &words, options)?
        }
        ExplainMethod::GradientXInput => gradient_x_input::attribute(&mut probe, &input)?,
        ExplainMethod::LeaveOneOut => leave_one_out::attribute(&mut probe, &input, &words)?,
    };
    Ok(found.into_attribution(options.method, &input, &words, probe.passes()))
}

#[cfg(test)]
mod tests {
    use super::closed_form::Linear;
    use super::*;

    fn run(method: ExplainMethod, query: &str, text: Option<&str>) -> Attribution {
        let mut scorer = Linear::default();
        let options = ExplainOptions { method, ..ExplainOptions::default() };
        explain(&mut scorer, query, text, &options, &Cancel::new(), &mut |_| {}).unwrap()
    }

    #[test]
    fn every_method_explains_chinese_words_by_character() {
        for info in METHODS {
            let found = run(info.method, "跑鞋 男", Some("men's 登山靴"));
            let words: Vec<_> = found.words.iter().map(|w| (w.text.as_str(), w.side)).collect();
            let expected = [
                ("跑", 0),
                ("鞋", 0),
                ("男", 0),
                ("men", 1),
                ("'", 1),
                ("s", 1),
                ("登", 1),
                ("山", 1),
                ("靴", 1),
            ];
            assert_eq!(words, expected, "{}", info.name);
            assert_eq!(found.method, info.method);
        }
    }

    #[test]
    fn tokens_of_a_word_add_up_to_the_word() {
        for info in METHODS {
            let found = run(info.method, "wireless mouse", Some("Sandberg Wireless Laser"));
            for (index, word) in found.words.iter().enumerate() {
                let sum: f64 = found.tokens.iter().filter(|t| t.word == index).map(|t| t.attribution).sum();
                assert!((sum - word.attribution).abs() < 1e-9, "{}: {}", info.name, word.text);
            }
        }
    }

    #[test]
    fn on_a_linear_model_integrated_gradients_and_leave_one_out_agree() {
        // Both replace by a token whose value is 0 here, and nothing interacts.
        let a = run(ExplainMethod::IntegratedGradients, "跑鞋 wireless", Some("mouse 靴"));
        let b = run(ExplainMethod::LeaveOneOut, "跑鞋 wireless", Some("mouse 靴"));
        for (x, y) in a.words.iter().zip(&b.words) {
            assert!((x.attribution - y.attribution).abs() < 1e-5, "{x:?} {y:?}");
        }
        assert!(a.words.iter().any(|w| w.attribution.abs() > 0.1));
    }

    #[test]
    fn nothing_to_explain_is_an_empty_answer() {
        for info in METHODS {
            for (query, text) in [("", None), ("", Some("")), (" \t", Some("  "))] {
                let found = run(info.method, query, text);
                assert!(found.words.is_empty() && found.tokens.is_empty(), "{}", info.name);
                assert!(found.score.is_finite());
                if let Some(delta) = found.delta {
                    assert_eq!(delta, 0.0);
                }
            }
        }
    }

    #[test]
    fn cancelled_before_the_first_batch() {
        let cancel = Cancel::new();
        cancel.cancel();
        for info in METHODS {
            let options = ExplainOptions { method: info.method, ..ExplainOptions::default() };
            let found = explain(&mut Linear::default(), "跑鞋", None, &options, &cancel, &mut |_| {});
            assert_eq!(found, Err(ExplainError::Cancelled));
        }
    }

    #[test]
    fn cancelled_midway_stops_at_the_next_batch() {
        let cancel = Cancel::new();
        let options = ExplainOptions { batch_tokens: 1, ..ExplainOptions::default() };
        let mut batches = 0;
        let found = explain(&mut Linear::default(), "跑 鞋", None, &options, &cancel, &mut |_| {
            batches += 1;
            if batches == 3 {
                cancel.cancel();
            }
        });
        assert_eq!(found, Err(ExplainError::Cancelled));
        assert_eq!(batches, 3);
    }

    #[test]
    fn a_score_that_is_no_number_is_said() {
        for info in METHODS {
            let mut scorer = Linear { bias: f64::NAN, ..Linear::default() };
            let options = ExplainOptions { method: info.method, ..ExplainOptions::default() };
            let found = explain(&mut scorer, "跑鞋", None, &options, &Cancel::new(), &mut |_| {});
            assert!(matches!(found, Err(ExplainError::NotFinite(_))), "{}: {found:?}", info.name);
        }
    }

    #[test]
    fn progress_ends_at_its_total() {
        for info in METHODS {
            let mut last = None;
            let options =
                ExplainOptions { method: info.method, batch_tokens: 8, ..ExplainOptions::default() };
            let mut seen = |p: ExplainProgress| last = Some(p);
            let found =
                explain(&mut Linear::default(), "a b c", None, &options, &Cancel::new(), &mut seen).unwrap();
            let last = last.unwrap();
            assert_eq!(last.done, last.total, "{}", info.name);
            assert_eq!(last.done, found.passes.forward);
        }
    }
}
