//! FIGURES: what checks can ask of a fairness cell, in the words of the docs. No computing here.

/// Name and meaning of every figure but the metric's own id, which is the metric over all rows.
pub const FIGURES: &[(&str, &str)] = &[
    ("max_gap", "largest difference between two supported groups of one slice; has `lower` and `upper`"),
    ("min_ratio", "smallest ratio of two of them; has `lower` and `upper`"),
    (
        "max_ratio",
        "largest ratio of two of them: of `exposure` the demographic parity ratio, of `exposure_per_utility` disparate treatment, of `clicks_per_utility` disparate impact",
    ),
    ("gap_p", "smallest p, over slices, that the groups of a slice do not differ at all"),
    ("gap_p_adjusted", "the same, adjusted over every disparity of the table"),
    ("max_delta", "largest absolute difference of a group to the rest"),
    ("worst", "value of the worst group"),
    ("best", "value of the best group"),
    ("p", "smallest p of a group against the rest"),
    ("p_adjusted", "the same, adjusted over every group of the table"),
    ("overall", "the metric over all rows"),
    ("groups", "number of groups"),
    ("worse", "number of groups found worse than the rest"),
    ("below_support", "number of groups with too few rows or lists to be measured"),
    ("demographic_parity_difference", "largest minus smallest selection rate (metrics of a classification)"),
    ("demographic_parity_ratio", "smallest / largest selection rate"),
    ("demographic_parity_p", "smallest p, over slices, that selection rates do not differ"),
    ("demographic_parity_p_adjusted", "the same, adjusted over every disparity of the table"),
    ("equal_opportunity_difference", "largest minus smallest TPR (metrics of a classification)"),
    ("equal_opportunity_ratio", "smallest / largest TPR"),
    ("equal_opportunity_p", "smallest p, over slices, that TPRs do not differ"),
    ("equal_opportunity_p_adjusted", "the same, adjusted over every disparity of the table"),
    ("equalized_odds_difference", "the larger difference, of TPR and of FPR (metrics of a classification)"),
    ("equalized_odds_ratio", "the smaller ratio, of TPR and of FPR"),
    ("equalized_odds_p", "smallest p, over slices, that neither differs"),
    ("equalized_odds_p_adjusted", "the same, adjusted over every disparity of the table"),
];
