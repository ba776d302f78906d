//! Settings that are one of a few words. Each word is written once, beside its meaning: the notebook's keys,
//! the command line, help and completion read it here. What a setting changes is not here.

/// A setting that is one of a few words; the default is what holds where none is given.
pub trait Choice: Copy + Default + Send + Sync + 'static {
    /// Every value, in the order of help.
    const ALL: &'static [Self];
    /// The words, in the same order.
    const IDS: &'static [&'static str];

    /// The word in notebooks, on the command line and in JSON.
    fn id(self) -> &'static str;

    /// What it means.
    fn doc(self) -> &'static str;

    /// The value of exactly this word.
    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.id() == word)
    }
}

macro_rules! choices {
    ($($(#[$about:meta])* $name:ident { $($(#[doc = $doc:literal])+ $(#[default $($mark:tt)*])? $value:ident = $id:literal,)+ })+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[doc = $doc])+ $(#[default $($mark)*])? $value,)+
        }

        impl Choice for $name {
            const ALL: &'static [Self] = &[$(Self::$value),+];
            const IDS: &'static [&'static str] = &[$($id),+];

            fn id(self) -> &'static str {
                match self {
                    $(Self::$value => $id,)+
                }
            }

            fn doc(self) -> &'static str {
                match self {
                    $(Self::$value => concat!($($doc),+).trim(),)+
                }
            }
        }
    )+};
}

choices! {
    /// How equal scores within a list are ordered.
    Ties {
        /// By item id as text, descending, as trec_eval does
        #[default]
        Docid = "docid",
        /// By the logged position, then the order of appearance
        Logged = "logged",
        /// In every way: the expected value where a metric has a closed form (McSherry & Najork 2008), else as
        /// `docid`, with a note
        Expected = "expected",
    }

    /// How the replicates of a bootstrap become an interval.
    IntervalMethod {
        /// Quantiles of the resamples
        #[default]
        Percentile = "percentile",
        /// Quantiles corrected for bias and skewness (Efron 1987)
        Bca = "bca",
    }

    /// How p is adjusted for the number of slices that were tested.
    Adjustment {
        /// Benjamini-Hochberg. Slices overlap, so their tests depend on each other, mostly positively; a
        /// simulation among the tests shows its level to hold
        #[default]
        Hochberg = "bh",
        /// Benjamini-Yekutieli: holds under any dependence, at the price of a factor of about ln m. For a gate
        /// that must never be wrong more often than it says
        Yekutieli = "by",
    }

    /// Which table a comparison gives.
    Detail {
        /// A line per run, metric and group
        #[default]
        Summary = "summary",
        /// The queries that moved most, with the top of both lists
        Queries = "queries",
        /// Their lists side by side, a line per rank
        Lists = "lists",
    }

    /// What a train cell learns, and how many outputs the model gets.
    TrainObjective {
        /// As the start model's head is: of one output `binary` where labels lie within 0 and 1 (or are two
        /// words), else `value`; of several, or of none, `classes`
        #[default]
        ByModel = "by_model",
        /// One output per class: softmax cross-entropy
        Classes = "classes",
        /// One logit: sigmoid cross-entropy, labels from 0 to 1. What ranks pairs
        Binary = "binary",
        /// One value: squared error of grades
        Value = "value",
    }

    /// How words are credited with a score. What each method means stands in the METHODS table of `analysis`.
    ExplainMethod {
        /// Along the way from an empty input to this one
        #[default]
        IntegratedGradients = "integrated_gradients",
        /// The slope at this input times the word's embedding
        GradientXInput = "gradient_x_input",
        /// The score without the word
        LeaveOneOut = "leave_one_out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound<C: Choice + PartialEq + std::fmt::Debug>() {
        assert_eq!(C::ALL.len(), C::IDS.len());
        for (value, id) in C::ALL.iter().zip(C::IDS) {
            assert_eq!((value.id(), C::parse(id)), (*id, Some(*value)));
            assert!(!value.doc().is_empty() && value.doc() == value.doc().trim());
        }
        assert_eq!(C::parse("no such word"), None);
        assert_eq!(C::ALL[0], C::default(), "the default is named first");
    }

    #[test]
    fn each_word_is_read_back_as_itself() {
        sound::<Ties>();
        sound::<IntervalMethod>();
        sound::<Adjustment>();
        sound::<Detail>();
        sound::<ExplainMethod>();
        assert_eq!(IntervalMethod::Bca.doc(), "Quantiles corrected for bias and skewness (Efron 1987)");
    }
}
