//! What a classifier's class names say about the order of its classes: which sets of names are known,
//! and what each name is worth. A set that is not known has no order, and its model no score.

use super::heads::Ranking;

/// Names of one scale, each with what it is worth. Several names may be worth the same.
struct Scale {
    name: &'static str,
    /// Whether the worths are gains as they stand; else only their order counts, and classes are grades
    /// from 0.
    gains: bool,
    words: &'static [(&'static str, f64)],
}

/// Reddy et al. 2022, Shopping Queries Dataset: the gains of its nDCG.
const ESCI: Scale = Scale {
    name: "ESCI labels",
    gains: true,
    words: &[
        ("e", 1.0),
        ("exact", 1.0),
        ("exact match", 1.0),
        ("s", 0.1),
        ("substitute", 0.1),
        ("c", 0.01),
        ("complement", 0.01),
        ("i", 0.0),
        ("irrelevant", 0.0),
    ],
};

const RELEVANCE: Scale = Scale {
    name: "words for relevance",
    gains: false,
    words: &[
        ("irrelevant", 0.0),
        ("not relevant", 0.0),
        ("non relevant", 0.0),
        ("nonrelevant", 0.0),
        ("bad", 0.0),
        ("不相关", 0.0),
        ("related", 1.0),
        ("marginally relevant", 1.0),
        ("weakly relevant", 1.0),
        ("弱相关", 1.0),
        ("差", 0.0),
        ("一般", 2.0),
        ("fair", 2.0),
        ("somewhat relevant", 2.0),
        ("partially relevant", 2.0),
        ("部分相关", 2.0),
        ("好", 3.0),
        ("good", 3.0),
        ("relevant", 3.0),
        ("相关", 3.0),
        ("excellent", 4.0),
        ("very relevant", 4.0),
        ("highly relevant", 4.0),
        ("强相关", 4.0),
        ("高度相关", 4.0),
        ("perfect", 5.0),
        ("perfectly relevant", 5.0),
        ("完全相关", 5.0),
    ],
};

const YES_OR_NO: Scale = Scale {
    name: "yes and no",
    gains: false,
    words: &[
        ("no", 0.0),
        ("false", 0.0),
        ("negative", 0.0),
        ("no match", 0.0),
        ("not match", 0.0),
        ("no click", 0.0),
        ("否", 0.0),
        ("yes", 1.0),
        ("true", 1.0),
        ("positive", 1.0),
        ("match", 1.0),
        ("click", 1.0),
        ("是", 1.0),
    ],
};

const SCALES: [&Scale; 3] = [&ESCI, &RELEVANCE, &YES_OR_NO];

/// How classes of these names rank, and what the reader should know of it.
pub(super) fn ranking(labels: &[String]) -> (Ranking, Option<String>) {
    let named = labels.join(", ");
    match labels {
        [] | [_] => (Ranking::Logit, None),
        [no, yes] => match worths(labels).as_ref().map(|(name, worths)| (*name, worths.as_slice())) {
            Some((_, [a, b])) if a < b => (Ranking::Odds(1), None),
            Some((name, _)) => {
                let note = format!("the score is the log-odds of {no} against {yes} ({name})");
                (Ranking::Odds(0), Some(note))
            }
            None => {
                let note = format!("the score is the log-odds of {yes}, the second class, against {no}");
                (Ranking::Odds(1), Some(note))
            }
        },
        _ => match worths(labels) {
            Some((name, gains)) => {
                let each = labels.iter().zip(&gains).map(|(label, gain)| format!("{label} {gain}"));
                let each = each.collect::<Vec<_>>().join(", ");
                let note = format!("the score is the expected gain, classes read as {name}: {each}");
                (Ranking::Gains(gains), Some(note))
            }
            None => {
                let note = format!(
                    "no score: the classes {named} have no known order; `gains` says what each is worth \
                     (gains = {{ \"{}\" = 1, ... }})",
                    labels.first().map_or("A", String::as_str)
                );
                (Ranking::Unordered, Some(note))
            }
        },
    }
}

/// What each class is worth, and how that was read.
fn worths(labels: &[String]) -> Option<(&'static str, Vec<f64>)> {
    if let Some(numbers) = numbers(labels) {
        return Some(("numbers", numbers));
    }
    SCALES.iter().find_map(|scale| {
        let worth = |label: &String| {
            let plain = plain(label);
            scale.words.iter().find(|(word, _)| *word == plain).map(|(_, worth)| *worth)
        };
        let worths = distinct(labels.iter().map(worth).collect::<Option<Vec<f64>>>()?)?;
        let grade = |worth: &f64| worths.iter().filter(|other| *other < worth).count() as f64;
        let gains = if scale.gains { worths.clone() } else { worths.iter().map(grade).collect() };
        Some((scale.name, gains))
    })
}

/// `3`, `LABEL_3`, `4 stars`: one number each, and the same words around it.
fn numbers(labels: &[String]) -> Option<Vec<f64>> {
    let mut around: Option<String> = None;
    let mut numbers = Vec::with_capacity(labels.len());
    for label in labels {
        let plain = plain(label);
        let start = plain.find(|c: char| c.is_ascii_digit())?;
        let end = plain.rfind(|c: char| c.is_ascii_digit())? + 1;
        let (before, number, after) = (plain.get(..start)?, plain.get(start..end)?, plain.get(end..)?);
        numbers.push(number.parse().ok()?);
        // `1 star` beside `2 stars`.
        let words = format!("{}|{}", before.trim(), after.trim().trim_end_matches('s'));
        if around.get_or_insert_with(|| words.clone()) != &words {
            return None;
        }
    }
    distinct(numbers)
}

fn distinct(values: Vec<f64>) -> Option<Vec<f64>> {
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    (sorted.len() == values.len()).then_some(values)
}

/// Lower case, with blanks for what joins words.
fn plain(label: &str) -> String {
    let spaced = label.to_lowercase().replace(['_', '-'], " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[&str]) -> (Ranking, Option<String>) {
        ranking(&labels.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn known_names_are_worth_what_they_mean() {
        let gains = |labels: &[&str]| match of(labels).0 {
            Ranking::Gains(gains) => gains,
            other => panic!("{labels:?}: {other:?}"),
        };
        assert_eq!(gains(&["E", "S", "C", "I"]), [1.0, 0.1, 0.01, 0.0]);
        assert_eq!(gains(&["Irrelevant", "Complement", "Substitute", "Exact"]), [0.0, 0.01, 0.1, 1.0]);
        assert_eq!(gains(&["LABEL_0", "LABEL_1", "LABEL_2"]), [0.0, 1.0, 2.0]);
        assert_eq!(gains(&["1 star", "2 stars", "3 stars"]), [1.0, 2.0, 3.0]);
        assert_eq!(gains(&["3", "1", "2"]), [3.0, 1.0, 2.0]);
        assert_eq!(gains(&["Highly_Relevant", "not-relevant", "relevant"]), [2.0, 0.0, 1.0]);
        assert_eq!(gains(&["完全相关", "部分相关", "不相关"]), [2.0, 1.0, 0.0]);
    }

    #[test]
    fn two_classes_are_odds_of_the_better() {
        for (labels, better, said) in [
            (["LABEL_0", "LABEL_1"], 1, false),
            (["relevant", "irrelevant"], 0, true),
            (["不相关", "相关"], 1, false),
            (["I", "E"], 1, false),
            (["yes", "no"], 0, true),
            (["spam", "ham"], 1, true),
        ] {
            let (ranking, note) = of(&labels);
            assert_eq!((ranking, note.is_some()), (Ranking::Odds(better), said), "{labels:?}");
        }
    }

    #[test]
    fn others_have_no_order() {
        for labels in [
            &["entailment", "neutral", "contradiction"][..],
            &["1", "1.0", "2"],
            &["size 1", "colour 2", "3"],
            &["E", "E", "S"],
            &["1 or 2", "3", "4"],
        ] {
            let (ranking, note) = of(labels);
            assert!(ranking == Ranking::Unordered && note.unwrap().contains("gains"), "{labels:?}");
        }
        assert_eq!(of(&["anything"]), (Ranking::Logit, None));
    }
}
