//! The closed list of cell kinds. What each kind takes is in `cells.rs`.

/// What a cell does; the first word of its info string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Sql,
    Score,
    Metrics,
    Fairness,
    Slices,
    Explain,
    Robust,
    Quality,
    Drift,
    Privacy,
    Prepare,
    Train,
    Compare,
    Behaviour,
    Recommend,
    Label,
    Check,
    Chart,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Kind; 18] = [
        Kind::Sql,
        Kind::Score,
        Kind::Metrics,
        Kind::Fairness,
        Kind::Slices,
        Kind::Compare,
        Kind::Explain,
        Kind::Train,
        Kind::Check,
        Kind::Robust,
        Kind::Quality,
        Kind::Drift,
        Kind::Privacy,
        Kind::Prepare,
        Kind::Behaviour,
        Kind::Recommend,
        Kind::Label,
        Kind::Chart,
    ];

    /// The word in the info string.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sql => "sql",
            Kind::Score => "score",
            Kind::Metrics => "metrics",
            Kind::Fairness => "fairness",
            Kind::Slices => "slices",
            Kind::Explain => "explain",
            Kind::Robust => "robust",
            Kind::Quality => "quality",
            Kind::Drift => "drift",
            Kind::Privacy => "privacy",
            Kind::Prepare => "prepare",
            Kind::Train => "train",
            Kind::Compare => "compare",
            Kind::Behaviour => "behaviour",
            Kind::Recommend => "recommend",
            Kind::Label => "label",
            Kind::Check => "check",
            Kind::Chart => "chart",
        }
    }

    /// The kind of that exact name.
    pub fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == word)
    }

    /// `false`: the word is reserved for a later version; such a cell is kept and says so.
    pub fn is_ready(self) -> bool {
        super::cells::CELLS.iter().any(|def| def.kind == self)
    }

    /// Cheap cells may run again by themselves when something above them changes.
    pub fn is_cheap(self) -> bool {
        matches!(self, Kind::Sql | Kind::Metrics | Kind::Fairness | Kind::Compare | Kind::Check)
    }

    /// The body is bare SQL; every other kind has a TOML body.
    pub fn is_sql(self) -> bool {
        self == Kind::Sql
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
