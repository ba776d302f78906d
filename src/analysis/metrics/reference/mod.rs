//! Every metric once more, in plain Rust, straight from its formula: slow, obvious, and the judge of
//! the SQL in tests. Not used to compute anything that a user sees.

pub mod classification;
pub mod exposure;
pub mod judgments;
pub mod orders;
pub mod ranking;
pub mod seed;

/// One row of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    pub item: String,
    /// `None`: not retrieved, and so is NaN. Infinities are ranked as numbers.
    pub score: Option<f64>,
    /// `None`: not judged.
    pub gain: Option<f64>,
    pub clicked: bool,
}

/// A list in its order: retrieved rows by score, then item descending; repeated items only once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranked {
    pub shown: Vec<Row>,
    /// Judged, but not retrieved.
    pub missed: Vec<Row>,
}

impl Ranked {
    pub fn new(rows: &[Row]) -> Self {
        let mut rows = rows.to_vec();
        for row in &mut rows {
            row.score = row.score.filter(|score| !score.is_nan());
            row.gain = row.gain.filter(|gain| !gain.is_nan());
        }
        // Best first; among copies of an item the best-ranked, then the best judged.
        rows.sort_by(|a, b| {
            let score = |row: &Row| row.score.map_or(f64::NEG_INFINITY, |score| score + 0.0);
            b.score
                .is_some()
                .cmp(&a.score.is_some())
                .then(score(b).total_cmp(&score(a)))
                .then(b.item.as_bytes().cmp(a.item.as_bytes()))
                .then(b.gain.unwrap_or(f64::NEG_INFINITY).total_cmp(&a.gain.unwrap_or(f64::NEG_INFINITY)))
        });
        let mut list = Self::default();
        for row in rows {
            if list.all().all(|known| known.item != row.item) {
                if row.score.is_some() { list.shown.push(row) } else { list.missed.push(row) }
            }
        }
        list
    }

    pub fn all(&self) -> impl Iterator<Item = &Row> {
        self.shown.iter().chain(&self.missed)
    }
}
