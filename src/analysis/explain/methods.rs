//! METHODS: the one table of attribution methods, from which help, completion, JSON names and tests
//! are made; the words that name methods are in `terms`. A method that is not in it does not exist.

use crate::terms::ExplainMethod;

/// A row of [`METHODS`].
#[derive(Debug, Clone, Copy)]
pub struct MethodInfo {
    pub method: ExplainMethod,
    /// For titles.
    pub name: &'static str,
    /// What a value means and when to use it.
    pub doc: &'static str,
    /// Where the formula comes from.
    pub source: &'static str,
    /// Needs a differentiable model, not only scores.
    pub needs_gradients: bool,
    /// The values sum to score - baseline, up to the delta that is shown.
    pub complete: bool,
}

/// Every method, the default first.
pub const METHODS: &[MethodInfo] = &[
    MethodInfo {
        method: ExplainMethod::IntegratedGradients,
        name: "integrated gradients",
        doc: "How much each word added to the score on the way from an empty input (every word [PAD]) \
              to this one. Values sum to score - baseline; delta says by how much they miss it, as a \
              share, and nodes are added until that is at most 1 % or the cap is reached.",
        source: "Sundararajan, Taly, Yan 2017, Axiomatic Attribution for Deep Networks; integrated over \
                 the word embeddings by Gauss-Legendre quadrature",
        needs_gradients: true,
        complete: true,
    },
    MethodInfo {
        method: ExplainMethod::GradientXInput,
        name: "gradient x input",
        doc: "The score's slope at this input times the word's embedding: one backward pass, a quick \
              local look. Values sum to nothing in particular and can point the wrong way where the \
              model saturates.",
        source: "Shrikumar, Greenside, Shcherbina, Kundaje 2016, Not Just a Black Box",
        needs_gradients: true,
        complete: false,
    },
    MethodInfo {
        method: ExplainMethod::LeaveOneOut,
        name: "leave one word out",
        doc: "Score minus the score with this word's pieces replaced by [MASK]. Direct to read: what \
              would this word's absence change? Words that stand in for each other both look unimportant.",
        source: "Li, Monroe, Jurafsky 2016, Understanding Neural Networks through Representation Erasure",
        needs_gradients: false,
        complete: false,
    },
];

impl ExplainMethod {
    /// Its row of [`METHODS`].
    pub fn info(self) -> &'static MethodInfo {
        match self {
            Self::IntegratedGradients => &METHODS[0],
            Self::GradientXInput => &METHODS[1],
            Self::LeaveOneOut => &METHODS[2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::Choice as _;

    #[test]
    fn each_method_has_its_row() {
        assert_eq!(METHODS.len(), ExplainMethod::ALL.len());
        for (row, method) in METHODS.iter().zip(ExplainMethod::ALL) {
            assert_eq!((row.method, method.info().method), (*method, *method));
            assert!(!row.doc.is_empty() && !row.source.is_empty() && !row.name.is_empty());
        }
    }
}
