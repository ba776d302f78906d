//! One predicate of a slice: in words, and as SQL over whatever it is asked of. The same text codes the
//! rows and leads back to them, so that a slice's rows are its rows.

use crate::terms::quote_text;

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// Equal to a value in DuckDB's own spelling.
    Is(String),
    Null,
    /// From the first (included) to before the second; literals.
    Range(Option<String>, Option<String>),
    /// As `Null` and `Range`, where NaN and infinities are no numbers either.
    NullOrNotFinite,
    FiniteRange(Option<String>, Option<String>),
    /// Matches the first regular expression, not the second.
    Matches(String, Option<String>),
    NoMatch(String),
    /// Holds a word, between the borders of words; lower case.
    Word(String),
    /// Holds these characters.
    Characters(String),
}

/// A word ends where letters and digits end, and where a script without spaces begins.
const BORDER: &str = r"[^\p{L}\p{N}]|\p{Han}|\p{Hiragana}|\p{Katakana}";

impl Condition {
    /// SQL over `subject`, an expression.
    pub fn sql(&self, subject: &str) -> String {
        let matches = |pattern: &str| format!("regexp_matches({subject}, {})", quote_text(pattern));
        match self {
            Self::Is(value) => format!("{subject} = {}", quote_text(value)),
            Self::Null => format!("{subject} IS NULL"),
            Self::Range(from, to) => range(subject, from, to),
            Self::NullOrNotFinite => format!("({subject} IS NULL OR NOT isfinite({subject}))"),
            Self::FiniteRange(from, to) => format!("{} AND isfinite({subject})", range(subject, from, to)),
            Self::Matches(pattern, None) => matches(pattern),
            Self::Matches(pattern, Some(but)) => format!("{} AND NOT {}", matches(pattern), matches(but)),
            Self::NoMatch(pattern) => format!("NOT {}", matches(pattern)),
            Self::Word(word) => {
                let pattern = format!("(^|{BORDER}){word}({BORDER}|$)");
                format!("regexp_matches(lower({subject}), {})", quote_text(&pattern))
            }
            Self::Characters(characters) => format!("contains({subject}, {})", quote_text(characters)),
        }
    }

    /// The same rows as [`Condition::sql`], in a form that costs less where few rows match.
    pub fn quick_sql(&self, subject: &str) -> String {
        match self {
            Self::Word(word) => {
                format!("contains(lower({subject}), {}) AND {}", quote_text(word), self.sql(subject))
            }
            _ => self.sql(subject),
        }
    }
}

fn range(subject: &str, from: &Option<String>, to: &Option<String>) -> String {
    let parts = [
        from.as_ref().map(|from| format!("{subject} >= {from}")),
        to.as_ref().map(|to| format!("{subject} < {to}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" AND ")
}

/// The words of a range of `name`.
pub(super) fn range_words(name: &str, from: Option<&str>, to: Option<&str>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("{from} <= {name} < {to}"),
        (Some(from), None) => format!("{name} >= {from}"),
        (None, Some(to)) => format!("{name} < {to}"),
        (None, None) => name.to_owned(),
    }
}

/// Edges that read well: rounded as far as they stay apart, ascending, each once. Never outside the range
/// of what was given by more than the gap between two of them.
pub(super) fn readable(edges: &[f64]) -> Vec<f64> {
    let mut edges: Vec<f64> = edges.iter().copied().filter(|edge| edge.is_finite()).collect();
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    let gaps = edges.iter().zip(edges.iter().skip(1)).map(|(a, b)| b - a);
    let gap = gaps.reduce(f64::min).or_else(|| edges.first().map(|edge| edge.abs() / 10.0));
    let step = gap.filter(|gap| *gap > 0.0).map_or(1.0, |gap| 10f64.powf((gap / 2.0).log10().floor()));
    if step.is_finite() && step > 0.0 {
        // Through text, so that 0.1 + 0.2 does not show.
        let digits = (-step.log10().round()).clamp(0.0, 17.0) as usize;
        let round =
            |edge: &f64| format!("{:.*}", digits, (edge / step).round() * step).parse().unwrap_or(*edge);
        edges = edges.iter().map(round).collect();
        edges.dedup();
    }
    edges
}

/// A number as SQL and readers take it.
pub(super) fn number(value: f64) -> String {
    let value = if value == 0.0 { 0.0 } else { value };
    if value.abs() < 1e15 && value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_wherever_text_stands() {
        assert_eq!(Condition::Is("O'Neill".into()).sql("\"b\""), "\"b\" = 'O''Neill'");
        assert_eq!(Condition::Characters("'".into()).sql("q"), "contains(q, '''')");
        let range = Condition::Range(Some("1".into()), Some("2.5".into()));
        assert_eq!(range.sql("x"), "x >= 1 AND x < 2.5");
        assert_eq!(range_words("x", Some("1"), Some("2.5")), "1 <= x < 2.5");
    }

    #[test]
    fn edges_read_well_and_stay_apart() {
        assert_eq!(readable(&[9.98, 19.49, 24.99, 99.0]), [10.0, 19.0, 25.0, 99.0]);
        assert_eq!(readable(&[2016.2, 2017.1, 2018.0]), [2016.2, 2017.1, 2018.0]);
        assert_eq!(readable(&[0.1234, 0.5678]), [0.1, 0.6]);
        assert_eq!(readable(&[5.0, 5.0, 5.0]), [5.0]);
        assert_eq!(readable(&[f64::NAN, 0.0, 0.0]), [0.0]);
        assert_eq!(readable(&[123456.0, 987654.0, 5_000_000.0]), [100000.0, 1000000.0, 5000000.0]);
        assert!(readable(&[]).is_empty());
        assert_eq!(number(-0.0), "0");
        assert_eq!((number(12.0).as_str(), number(0.1).as_str()), ("12", "0.1"));
    }
}
