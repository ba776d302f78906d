//! Metrics of rows: classification, probability, ratings, clicks and money. No arithmetic here.

use super::examples::{CLICKS, CLICKS_BY_QUERY, RATINGS, SALES};
use crate::analysis::metrics::metric::{Cutoff, INF, Metric, Need, row};

const CLASSIFICATION: &[Need] = &[Need::Score, Need::Label];

pub(super) const ROWS: &[Metric] = &[
    Metric {
        needs: CLASSIFICATION,
        range: (0.0, 1.0),
        ..row(
            "auc",
            true,
            "Chance that a positive row scores above a negative one",
            "(pairs in order + half of ties) / (positives * negatives)",
            "no positive or no negative row",
            "Mann-Whitney; sklearn roc_auc_score",
        )
    }
    .example(CLICKS, "auc", 0.75),
    row(
        "accuracy",
        true,
        "Share of rows whose class is predicted",
        "rows with (p >= 0.5) = label / rows",
        "no row with score and label",
        "sklearn accuracy_score",
    )
    .example(CLICKS, "accuracy", 0.5),
    row(
        "precision",
        true,
        "Share of the predicted positives that is positive",
        "TP / (TP + FP) at p >= 0.5",
        "no predicted positive",
        "sklearn precision_score",
    )
    .example(CLICKS, "precision", 0.5),
    row(
        "recall",
        true,
        "Share of the positives that is predicted (TPR)",
        "TP / (TP + FN) at p >= 0.5",
        "no positive row",
        "sklearn recall_score",
    )
    .example(CLICKS, "recall", 0.5),
    row(
        "f1",
        true,
        "Harmonic mean of precision and recall",
        "2 TP / (2 TP + FP + FN)",
        "no positive and no predicted positive row",
        "sklearn f1_score",
    )
    .example(CLICKS, "f1", 0.5),
    row(
        "fpr",
        false,
        "Share of the negatives predicted positive",
        "FP / (FP + TN) at p >= 0.5",
        "no negative row",
        "fairlearn false_positive_rate",
    )
    .example(CLICKS, "fpr", 0.5),
    row(
        "fnr",
        false,
        "Share of the positives that is missed",
        "FN / (TP + FN) at p >= 0.5",
        "no positive row",
        "fairlearn false_negative_rate",
    )
    .example(CLICKS, "fnr", 0.5),
    row(
        "selection_rate",
        true,
        "Share of rows predicted positive",
        "rows with p >= 0.5 / rows",
        "no row with score and label",
        "fairlearn selection_rate",
    )
    .example(CLICKS, "selection_rate", 0.5),
    Metric {
        range: (0.0, INF),
        ..row(
            "log_loss",
            false,
            "Surprise at the labels, in nats",
            "-mean(ln p of the true class), p kept within 2^-52 of 0 and 1",
            "no row with score and label",
            "sklearn log_loss",
        )
    }
    .example(CLICKS, "log_loss", 0.5402713826800865),
    row(
        "brier",
        false,
        "Mean squared error of the probability",
        "mean((p - label)^2)",
        "no row with score and label",
        "Brier 1950; sklearn brier_score_loss",
    )
    .example(CLICKS, "brier", 0.1925),
    row(
        "ece",
        false,
        "Gap between probability and frequency",
        "sum over 15 equal-width bins of p, right-closed: rows/all * |mean p - mean label|",
        "no row with score and label",
        "Naeini et al. 2015",
    )
    .example(CLICKS, "ece", 0.375),
    Metric {
        needs: &[Need::Label],
        ..row(
            "ctr",
            true,
            "Share of rows (impressions) with a click",
            "rows with label / rows",
            "no labelled row",
            "definition",
        )
    }
    .example(SALES, "ctr", 0.75),
    Metric {
        needs: &[Need::Purchase],
        ..row(
            "purchase_rate",
            true,
            "Share of rows (impressions) with a purchase",
            "rows with purchase / rows",
            "no row with a known purchase",
            "definition",
        )
    }
    .example(SALES, "purchase_rate", 0.5),
    Metric {
        needs: &[Need::Label, Need::Purchase],
        range: (0.0, INF),
        ..row(
            "cvr",
            true,
            "Purchases per click",
            "rows with purchase / rows with label",
            "no click",
            "definition",
        )
    }
    .example(SALES, "cvr", 0.6666666666666666),
    row("ap", true, "Precision at each threshold, weighted by the recall that it adds",
        "sum over distinct scores, highest first: (recall - recall before) * precision; tied rows enter together",
        "no positive row", "sklearn average_precision_score")
    .example(CLICKS, "ap", 0.8333333333333333),
    Metric {
        needs: &[Need::Query, Need::Score, Need::Label],
        ..row("gauc", true, "AUC within each list, weighted by its rows (impressions)",
            "sum over lists with both classes: rows * auc of the list / rows of those lists",
            "no list with both classes; n counts rows of lists that have both", "Zhou et al. 2018 (DIN); RecBole GAUC")
    }
    .example(CLICKS_BY_QUERY, "gauc", 0.5),
    Metric {
        needs: &[Need::Score, Need::Gain],
        range: (0.0, INF),
        ..row("mae", false, "Mean distance between score and gain", "mean(|score - gain|)",
            "no row with score and gain", "sklearn mean_absolute_error; RecBole MAE")
    }
    .example(RATINGS, "mae", 0.875),
    Metric {
        needs: &[Need::Score, Need::Gain],
        range: (0.0, INF),
        ..row("rmse", false, "Root of the mean squared distance between score and gain",
            "sqrt(mean((score - gain)^2))", "no row with score and gain", "sklearn root_mean_squared_error; RecBole RMSE")
    }
    .example(RATINGS, "rmse", 1.14564392373896),
    Metric {
        cutoff: Cutoff::Required,
        ..row("calibration", false, "Gap between probability and frequency in one bin of the reliability table",
            "|mean p - mean label| of the rows in bin K of 15, equal-width and right-closed: bin 15 is 14/15 < p <= 1",
            "no row with score and label in the bin", "Naeini et al. 2015; DeGroot & Fienberg 1983")
    }
    .example(CLICKS, "calibration@9", 0.6),
    Metric {
        cutoff: Cutoff::Required,
        ..row("frequency", true, "How often the label is true in one bin of the reliability table",
            "mean label of the rows in bin K of 15; beside confidence@K", "no row with score and label in the bin",
            "DeGroot & Fienberg 1983; sklearn calibration_curve")
    }
    .example(CLICKS, "frequency@9", 0.0),
    Metric {
        cutoff: Cutoff::Required,
        ..row("confidence", true, "Mean probability in one bin of the reliability table",
            "mean p of the rows in bin K of 15; beside frequency@K", "no row with score and label in the bin",
            "DeGroot & Fienberg 1983; sklearn calibration_curve")
    }
    .example(CLICKS, "confidence@9", 0.6),
    Metric {
        needs: &[Need::Revenue],
        range: (-INF, INF),
        ..row("revenue", true, "Revenue per row (impression)", "sum of revenue / rows with a known revenue",
            "no row with a known revenue", "definition")
    }
    .example(SALES, "revenue", 20.0),
    Metric {
        needs: &[Need::Margin],
        range: (-INF, INF),
        ..row("margin", true, "Margin per row (impression)", "sum of margin / rows with a known margin",
            "no row with a known margin", "definition")
    }
    .example(SALES, "margin", 1.0),
];
