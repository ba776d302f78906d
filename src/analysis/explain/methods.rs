//! METHODS: the one table of attribution methods, from which help, completion, JSON names and tests
//! are made. A method that is not in it does not exist.

/// An attribution method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Method {
    #[default]
    IntegratedGradients,
    GradientXInput,
    LeaveOneOut,
}

/// A row of [`METHODS`].
#[derive(Debug, Clone, Copy)]
pub struct MethodInfo {
    pub method: Method,
    /// In notebooks, on the command line, and in JSON.
    pub id: &'static str,
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
        method: Method::IntegratedGradients,
        id: "integrated_gradients",
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
        method: Method::GradientXInput,
        id: "gradient_x_input",
        name: "gradient x input",
        doc: "The score's slope at this input times the word's embedding: one backward pass, a quick \
              local look. Values sum to nothing in particular and can point the wrong way where the \
              model saturates.",
        source: "Shrikumar, Greenside, Shcherbina, Kundaje 2016, Not Just a Black Box",
        needs_gradients: true,
        complete: false,
    },
    MethodInfo {
        method: Method::LeaveOneOut,
        id: "leave_one_out",
        name: "leave one word out",
        doc: "Score minus the score with this word's pieces replaced by [MASK]. Direct to read: what \
              would this word's absence change? Words that stand in for each other both look unimportant.",
        source: "Li, Monroe, Jurafsky 2016, Understanding Neural Networks through Representation Erasure",
        needs_gradients: false,
        complete: false,
    },
];

impl Method {
    /// The method named by an id of [`METHODS`].
    pub fn from_id(id: &str) -> Option<Self> {
        METHODS.iter().find(|m| m.id == id).map(|m| m.method)
    }

    /// Its row of [`METHODS`].
    pub fn info(self) -> &'static MethodInfo {
        match self {
            Method::IntegratedGradients => &METHODS[0],
            Method::GradientXInput => &METHODS[1],
            Method::LeaveOneOut => &METHODS[2],
        }
    }

    pub fn id(self) -> &'static str {
        self.info().id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_found_by_its_id_and_by_its_method() {
        for row in METHODS {
            assert_eq!(Method::from_id(row.id), Some(row.method));
            assert_eq!(row.method.id(), row.id);
            assert!(!row.doc.is_empty() && !row.source.is_empty() && !row.name.is_empty());
        }
        assert_eq!(Method::from_id("deeplift"), None);
        assert_eq!(METHODS[0].method, Method::default());
    }
}
