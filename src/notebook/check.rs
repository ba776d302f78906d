//! The language of `check` lines: figures compared with numbers, joined by `and`, `or`, `unless` and
//! parentheses. What a line is made of, and its evaluation; where the figures come from is the caller's,
//! reading text is `check/parse.rs`.
//!
//! ```text
//! quality.ndcg@10 >= 0.35 and (max_gap <= 0.05 or p_adjusted > 0.05)
//! max_gap <= 0.05 unless p > 0.05            `A unless B` is `A or B`
//! delta(new, old) > 0 at 0.95                the lower end of the difference's 95 % interval is above 0
//! worst(ndcg@10) >= 0.3                      even if no unjudged item is relevant (needs `bounds = true`)
//! delta(new, old, mrr) >= -0.01              the difference itself, in another metric than the first
//! ```

mod parse;

use parse::Parser;

/// A figure: `ndcg@10`, `quality.ndcg@10`, `lower(quality.ndcg@10)`, `rows(bad_queries)`,
/// `delta(new, old)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The cell named before the dot (or inside `rows(...)`); `None`: the cell that holds the check.
    pub cell: Option<String>,
    /// `ndcg@10`, `max_gap`, `p_adjusted`, `delta(new, old)`...; empty for `rows`.
    pub figure: String,
    /// What a `delta(...)` names.
    pub delta: Option<Box<Delta>>,
    pub part: Part,
}

/// The difference between two runs of a compare cell, `new - old`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    pub new: String,
    pub old: String,
    /// `None`: the first metric that the cell shows.
    pub metric: Option<String>,
}

impl std::fmt::Display for Delta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.metric {
            Some(metric) => write!(f, "delta({}, {}, {metric})", self.new, self.old),
            None => write!(f, "delta({}, {})", self.new, self.old),
        }
    }
}

/// The level of an interval, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfidenceLevel(u32);

impl ConfidenceLevel {
    /// `None` outside of 0.5 to 0.999999.
    pub fn new(share: f64) -> Option<Self> {
        let millionths = (share * 1e6).round();
        (500_000.0..=999_999.0).contains(&millionths).then_some(Self(millionths as u32))
    }

    pub fn share(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

/// What of a figure is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Value,
    /// Ends of its interval.
    Lower,
    Upper,
    /// How many queries (or rows) it is over.
    N,
    /// Rows of a cell's result.
    Rows,
    /// Ends of its interval at a level.
    LowerAt(ConfidenceLevel),
    UpperAt(ConfidenceLevel),
    /// What it can be at worst and at best, given items without a judgment.
    Worst,
    Best,
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dot = if self.cell.is_some() && !self.figure.is_empty() { "." } else { "" };
        let name = format!("{}{dot}{}", self.cell.as_deref().unwrap_or(""), self.figure);
        match self.part {
            Part::Value => f.write_str(&name),
            Part::Lower => write!(f, "lower({name})"),
            Part::Upper => write!(f, "upper({name})"),
            Part::N => write!(f, "n({name})"),
            Part::Rows => write!(f, "rows({name})"),
            Part::LowerAt(level) => write!(f, "lower({name}) at {}", level.share()),
            Part::UpperAt(level) => write!(f, "upper({name}) at {}", level.share()),
            Part::Worst => write!(f, "worst({name})"),
            Part::Best => write!(f, "best({name})"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Ge,
    Le,
    Gt,
    Lt,
    Eq,
    Ne,
}

impl Op {
    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Op::Ge => a >= b,
            Op::Le => a <= b,
            Op::Gt => a > b,
            Op::Lt => a < b,
            Op::Eq => a == b,
            Op::Ne => a != b,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Side {
    Term(Term),
    Number(f64),
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Compare(Side, Op, Side),
    And(Vec<Node>),
    Or(Vec<Node>),
}

/// A parsed check line.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    node: Node,
}

/// What an evaluated check says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// `None`: a figure that decides is n/a; counts as failed.
    pub ok: Option<bool>,
    /// The comparison that decided: its figure, value and threshold.
    pub term: Option<Term>,
    pub value: Option<f64>,
    pub threshold: Option<f64>,
}

/// What is wrong with a check line; `column` in characters, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CheckError {
    pub column: u32,
    pub message: String,
}

impl Check {
    /// Parses one check line.
    pub fn parse(text: &str) -> Result<Check, CheckError> {
        Ok(Check { node: Parser::new(text)?.whole()? })
    }

    /// Every figure, in order of appearance.
    pub fn terms(&self) -> Vec<&Term> {
        fn walk<'a>(node: &'a Node, out: &mut Vec<&'a Term>) {
            match node {
                Node::Compare(a, _, b) => {
                    out.extend([a, b].into_iter().filter_map(|side| match side {
                        Side::Term(term) => Some(term),
                        Side::Number(_) => None,
                    }));
                }
                Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| walk(node, out)),
            }
        }
        let mut out = Vec::new();
        walk(&self.node, &mut out);
        out
    }

    /// Evaluates with `figure` giving each term's value; `None` or NaN is n/a. In an `and` the first
    /// comparison that fails decides, in an `or` the last one tried when none holds.
    pub fn eval(&self, figure: &dyn Fn(&Term) -> Option<f64>) -> Verdict {
        eval(&self.node, figure)
    }
}

fn eval(node: &Node, figure: &dyn Fn(&Term) -> Option<f64>) -> Verdict {
    let number = |side: &Side| match side {
        Side::Number(value) => Some(*value),
        Side::Term(term) => figure(term).filter(|value| !value.is_nan()),
    };
    match node {
        Node::Compare(a, op, b) => {
            // The figure is the side that is not a plain number.
            let (left, right) = (number(a), number(b));
            let ok = left.zip(right).map(|(left, right)| op.holds(left, right));
            let (term, value, threshold) = match (a, b) {
                (Side::Number(_), Side::Term(term)) => (Some(term), right, left),
                (Side::Term(term), _) => (Some(term), left, right),
                _ => (None, left, right),
            };
            Verdict { ok, term: term.cloned(), value, threshold }
        }
        Node::And(nodes) => decide(nodes, figure, false),
        Node::Or(nodes) => decide(nodes, figure, true),
    }
}

/// The verdict that settles a chain: the first that is `settles`; else the first n/a; else the last.
fn decide(nodes: &[Node], figure: &dyn Fn(&Term) -> Option<f64>, settles: bool) -> Verdict {
    let verdicts: Vec<Verdict> = nodes.iter().map(|node| eval(node, figure)).collect();
    let settled = verdicts.iter().find(|v| v.ok == Some(settles));
    let unknown = || verdicts.iter().find(|v| v.ok.is_none());
    let none = Verdict { ok: None, term: None, value: None, threshold: None };
    settled.or_else(unknown).or(verdicts.last()).cloned().unwrap_or(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> Verdict {
        Check::parse(text).unwrap().eval(&|term| match term.to_string().as_str() {
            "ndcg@10" => Some(0.31),
            "quality.ndcg@10" => Some(0.5),
            "max_gap" => Some(0.2),
            "p_adjusted" => Some(0.01),
            "rows(坏)" => Some(3.0),
            "lower(ndcg@10)" => Some(0.25),
            "diversity.seed_mean" => Some(0.3),
            "delta(new, old)" => Some(0.02),
            "lower(delta(new, old)) at 0.95" => Some(-0.001),
            "lower(delta(new, old)) at 0.8" => Some(0.004),
            "upper(delta(new, old)) at 0.95" => Some(0.041),
            "lower(delta(new, old))" => Some(-0.001),
            "cmp.delta(bm25.v2, old, mrr)" => Some(0.5),
            "nan" => Some(f64::NAN),
            _ => None,
        })
    }

    #[test]
    fn comparisons_give_value_and_threshold() {
        let v = verdict("ndcg@10 >= 0.35");
        assert_eq!((v.ok, v.value, v.threshold), (Some(false), Some(0.31), Some(0.35)));
        let v = verdict("0.3 <= ndcg@10");
        assert_eq!((v.ok, v.value, v.threshold), (Some(true), Some(0.31), Some(0.3)));
        assert_eq!(verdict("rows(坏) < 10").ok, Some(true));
        assert_eq!(verdict("lower(ndcg@10) > 25.1%").ok, Some(false));
        assert_eq!(verdict("quality.ndcg@10 > ndcg@10").threshold, Some(0.31));
        assert_eq!(verdict("diversity.seed_mean == .3").ok, Some(true));
        assert_eq!(verdict("ndcg@10 != -1e-3").ok, Some(true));
    }

    #[test]
    fn chains_name_what_decided() {
        let v = verdict("max_gap <= 0.05 or p_adjusted > 0.05");
        assert_eq!((v.ok, v.value, v.threshold), (Some(false), Some(0.01), Some(0.05)));
        let v = verdict("max_gap <= 0.5 and ndcg@10 > 0.4 and p_adjusted > 1");
        assert_eq!((v.ok, v.value), (Some(false), Some(0.31)));
        assert_eq!(verdict("(ndcg@10 > 1 or max_gap > 0) and rows(坏) == 3").ok, Some(true));
    }

    #[test]
    fn a_difference_is_compared_itself_or_by_the_end_of_its_interval() {
        assert_eq!(verdict("delta(new, old) >= -0.01").ok, Some(true));
        let v = verdict("delta(new, old) > 0 at 0.95");
        assert_eq!((v.ok, v.value, v.threshold), (Some(false), Some(-0.001), Some(0.0)));
        assert_eq!(verdict("delta(new, old) > 0 at 80%").ok, Some(true));
        assert_eq!(verdict("0 < delta(new, old) at 0.80").ok, Some(true));
        assert_eq!(verdict("delta(new, old) < 0.05 at 0.95").value, Some(0.041));
        assert_eq!(verdict("0.05 >= delta(new, old) at 0.95").value, Some(0.041));
        assert_eq!(verdict("lower(delta(new, old)) > 0").ok, Some(false));
        assert_eq!(verdict("delta('bm25.v2', cmp.old, mrr) > 0").ok, Some(true));
        assert_eq!(verdict("delta(new, old) > 0 at 0.95 unless p_adjusted < 0.05").ok, Some(true));
    }

    #[test]
    fn unless_is_or() {
        assert_eq!(verdict("max_gap <= 0.05 unless p_adjusted > 0.05").ok, Some(false));
        assert_eq!(verdict("max_gap <= 0.05 unless p_adjusted > 0.005").ok, Some(true));
        assert_eq!(verdict("max_gap <= 0.25 UNLESS unknown > 1").ok, Some(true));
    }

    #[test]
    fn na_is_neither() {
        assert_eq!(verdict("unknown > 1").ok, None);
        assert_eq!(verdict("nan > 1").ok, None);
        assert_eq!(verdict("unknown > 1 or ndcg@10 > 0").ok, Some(true));
        assert_eq!(verdict("unknown > 1 and ndcg@10 > 0").ok, None);
        assert_eq!(verdict("unknown > 1 and ndcg@10 > 1").ok, Some(false));
    }

    #[test]
    fn faults_have_columns() {
        let fault = |text: &str| Check::parse(text).map(|_| ()).unwrap_err();
        assert_eq!(fault("ndcg@10 = 1").column, 9);
        assert_eq!(fault("ndcg@10").column, 8);
        assert_eq!(fault("指标 >= ").column, 7);
        assert_eq!(fault("(a > 1").message, "`)` is missing");
        assert!(fault("mean(a) > 1").message.contains("lower, upper, worst, best, n, rows or delta"));
        assert!(fault("delta(a) > 1").message.contains("two runs"));
        assert!(fault("delta(a, b, c, d) > 1").message.contains("`)` is missing"));
        assert!(fault("delta(x.a, y.b) > 1").message.contains("one compare cell"));
        assert!(fault("delta('a, b) > 1").message.contains("not closed"));
        assert_eq!(fault("delta(a, b) > 0 at 95").column, 20);
        assert!(fault("delta(a, b) == 0 at 0.95").message.contains(">="));
        assert!(fault("lower(a) > 0 at 0.95").message.contains("itself"));
        assert!(fault("a > b at 0.95").message.contains("one figure"));
        assert!(fault("unless > 1").message.contains("missing"));
        assert!(fault("rows(delta(a, b)) > 1").message.contains("cell"));
        assert!(fault("1 > 2").message.contains("two numbers"));
        assert!(fault("a > 1 b").message.contains("`b`"));
        assert!(fault("").column == 1);
        assert!(fault(&"(".repeat(1000)).message.contains("parentheses"));
        assert!(fault("rows()>1").message.contains("needs a name"));
        assert!(Check::parse("a > \u{1b}").is_err());
    }
}
