//! What a metric says of itself, and the short hand in which the catalogue is written.

/// Does the id take `@K`?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutoff {
    Never,
    /// Without one, the whole list.
    Optional,
    Required,
}

/// What one value belongs to, and so what `n` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A value per list (query, or query and user); the mean over lists is reported.
    List,
    /// A ratio over rows; lists weigh by their rows.
    Row,
    /// One value of the whole relation; no interval.
    Catalogue,
}

/// What the metric reads. `Gain` is met by a label, `Label` by a gain (relevant or not).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Query,
    Item,
    /// A score or a position.
    Order,
    Score,
    Gain,
    Label,
    Purchase,
    Text,
    /// The logging policy's probability of the shown item.
    Propensity,
    /// The new policy's probability of it.
    Target,
    /// A reward, label or gain.
    Reward,
    /// Predicted rewards: of the shown item, and expected under the new policy.
    Model,
    /// A column of examination probabilities, or a position and an item to fit them from.
    Examination,
    /// The rank in the query's whole list, whatever slice a row is in.
    Place,
    /// A label beside the gain.
    Click,
    Revenue,
    Margin,
    Category,
    Embedding,
    /// When the item was published.
    Published,
    /// When the row was shown.
    Time,
    /// A second score, to compare two orders of the same rows.
    Other,
}

/// A worked example that a test runs and the docs show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Example {
    /// A header of roles (`query item score gain ...`), then rows; blanks between, `-` for NULL.
    pub rows: &'static str,
    /// The id as asked for, e.g. `ndcg@3`.
    pub ask: &'static str,
    /// Over all rows, to 1e-9.
    pub value: f64,
}

/// One metric as the reader of the docs sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Without the cut-off.
    pub id: &'static str,
    pub cutoff: Cutoff,
    pub level: Level,
    pub higher_is_better: bool,
    /// A whole number per list, which trec_eval sums over queries where it averages others.
    pub counts: bool,
    /// Lowest and highest value that can occur.
    pub range: (f64, f64),
    pub needs: &'static [Need],
    /// One line: what it says.
    pub doc: &'static str,
    /// g gain, r rank from 1, k cut-off (list length without one), R relevant items of the list.
    pub formula: &'static str,
    /// When there is no value.
    pub na: &'static str,
    /// Where the definition is from.
    pub source: &'static str,
    pub example: Example,
}

pub(super) const INF: f64 = f64::INFINITY;
const RANKING: &[Need] = &[Need::Query, Need::Order, Need::Gain];
const CLASSIFICATION: &[Need] = &[Need::Score, Need::Label];
const SHOWN: &[Need] = &[Need::Query, Need::Item];

/// What most metrics are alike in: a value per list, within 0..=1, the higher the better.
const UNTOLD: Metric = Metric {
    id: "",
    cutoff: Cutoff::Never,
    level: Level::List,
    higher_is_better: true,
    counts: false,
    range: (0.0, 1.0),
    needs: &[],
    doc: "",
    formula: "",
    na: "",
    source: "",
    example: Example { rows: "", ask: "", value: 0.0 },
};

pub(super) const fn list(
    id: &'static str,
    cutoff: Cutoff,
    doc: &'static str,
    formula: &'static str,
    na: &'static str,
    source: &'static str,
) -> Metric {
    Metric { id, cutoff, needs: RANKING, doc, formula, na, source, ..UNTOLD }
}

pub(super) const fn row(
    id: &'static str,
    higher_is_better: bool,
    doc: &'static str,
    formula: &'static str,
    na: &'static str,
    source: &'static str,
) -> Metric {
    let (cutoff, level, needs) = (Cutoff::Never, Level::Row, CLASSIFICATION);
    Metric { id, cutoff, level, higher_is_better, needs, doc, formula, na, source, ..UNTOLD }
}

pub(super) const fn catalogue(
    id: &'static str,
    cutoff: Cutoff,
    higher_is_better: bool,
    doc: &'static str,
    formula: &'static str,
    na: &'static str,
    source: &'static str,
) -> Metric {
    let (level, needs) = (Level::Catalogue, SHOWN);
    Metric { id, cutoff, level, higher_is_better, needs, doc, formula, na, source, ..UNTOLD }
}

impl Metric {
    /// The same with its worked example.
    pub(super) const fn example(self, rows: &'static str, ask: &'static str, value: f64) -> Self {
        Self { example: Example { rows, ask, value }, ..self }
    }

    /// The id as the docs write it: `ndcg[@K]`, `precision@K`, `auc`.
    pub fn spelling(&self) -> String {
        match self.cutoff {
            Cutoff::Never => self.id.to_owned(),
            Cutoff::Optional => format!("{}[@K]", self.id),
            Cutoff::Required => format!("{}@K", self.id),
        }
    }
}
