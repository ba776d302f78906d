//! The language of `check` lines: figures compared with numbers, joined by `and`, `or` and
//! parentheses. Parsing and evaluating; where the figures come from is the caller's.
//!
//! ```text
//! quality.ndcg@10 >= 0.35 and (max_gap <= 0.05 or p_adjusted > 0.05)
//! ```

/// A figure: `ndcg@10`, `quality.ndcg@10`, `lower(quality.ndcg@10)`, `rows(bad_queries)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The cell named before the dot (or inside `rows(...)`); `None`: the cell that holds the check.
    pub cell: Option<String>,
    /// `ndcg@10`, `max_gap`, `p_adjusted`...; empty for `rows`.
    pub figure: String,
    pub part: Part,
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
        let mut parser =
            Parser { tokens: tokens(text)?, at: 0, end: text.chars().count() as u32 + 1, depth: 0 };
        let node = parser.or()?;
        match parser.peek() {
            None => Ok(Check { node }),
            Some(token) => Err(parser.fault(format!("`{}` is not expected here", token.text))),
        }
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

#[derive(Debug, Clone, PartialEq)]
struct Token {
    text: String,
    column: u32,
    kind: TokenKind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum TokenKind {
    Word,
    Number(f64),
    Op(Op),
    Open,
    Close,
}

fn tokens(text: &str) -> Result<Vec<Token>, CheckError> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let column = at as u32 + 1;
        let rest = &chars[at..];
        let (kind, length) = token(rest).map_err(|message| CheckError { column, message })?;
        tokens.push(Token { text: rest.iter().take(length).collect(), column, kind });
        at += length;
    }
    Ok(tokens)
}

/// Kind and length of the token that begins here.
fn token(rest: &[char]) -> Result<(TokenKind, usize), String> {
    let first = rest.first().copied().unwrap_or(' ');
    let second = rest.get(1).copied().unwrap_or(' ');
    Ok(match (first, second) {
        ('>', '=') | ('≥', _) => (TokenKind::Op(Op::Ge), if first == '≥' { 1 } else { 2 }),
        ('<', '=') | ('≤', _) => (TokenKind::Op(Op::Le), if first == '≤' { 1 } else { 2 }),
        ('=', '=') => (TokenKind::Op(Op::Eq), 2),
        ('!', '=') => (TokenKind::Op(Op::Ne), 2),
        ('<', '>') => (TokenKind::Op(Op::Ne), 2),
        ('>', _) => (TokenKind::Op(Op::Gt), 1),
        ('<', _) => (TokenKind::Op(Op::Lt), 1),
        ('=', _) => return Err("write `==` to compare".into()),
        ('(', _) => (TokenKind::Open, 1),
        (')', _) => (TokenKind::Close, 1),
        (c, d)
            if c.is_ascii_digit() || (matches!(c, '-' | '+' | '.') && (d.is_ascii_digit() || d == '.')) =>
        {
            number(rest)?
        }
        (c, _) if c.is_alphabetic() || c == '_' => {
            let inside = |c: &&char| c.is_alphanumeric() || matches!(**c, '_' | '.' | '@');
            (TokenKind::Word, rest.iter().take_while(inside).count())
        }
        (c, _) => return Err(format!("`{}` is not expected here", c.escape_default())),
    })
}

fn number(rest: &[char]) -> Result<(TokenKind, usize), String> {
    let mut length = 0;
    for (i, c) in rest.iter().enumerate() {
        let after_e = i > 0 && matches!(rest[i - 1], 'e' | 'E');
        let sign = matches!(c, '-' | '+') && (i == 0 || after_e);
        if !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E') || sign) {
            break;
        }
        length = i + 1;
    }
    let text: String = rest.iter().take(length).collect();
    let value = text.parse::<f64>().map_err(|_| format!("`{text}` is not a number"))?;
    Ok(match rest.get(length) {
        Some('%') => (TokenKind::Number(value / 100.0), length + 1),
        _ => (TokenKind::Number(value), length),
    })
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// Column just behind the text.
    end: u32,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn fault(&self, message: impl Into<String>) -> CheckError {
        let column = self.peek().map_or(self.end, |token| token.column);
        CheckError { column, message: message.into() }
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let here =
            self.peek().is_some_and(|t| t.kind == TokenKind::Word && t.text.eq_ignore_ascii_case(word));
        self.at += usize::from(here);
        here
    }

    fn or(&mut self) -> Result<Node, CheckError> {
        let mut nodes = vec![self.and()?];
        while self.takes_word("or") {
            nodes.push(self.and()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) })
    }

    fn and(&mut self) -> Result<Node, CheckError> {
        let mut nodes = vec![self.comparison()?];
        while self.takes_word("and") {
            nodes.push(self.comparison()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::And(nodes) })
    }

    fn comparison(&mut self) -> Result<Node, CheckError> {
        if self.peek().is_some_and(|t| t.kind == TokenKind::Open) {
            if self.depth >= 50 {
                return Err(self.fault("too many parentheses"));
            }
            self.at += 1;
            self.depth += 1;
            let node = self.or()?;
            self.depth -= 1;
            self.close()?;
            return Ok(node);
        }
        let left = self.side()?;
        let op = match self.peek().map(|token| token.kind) {
            Some(TokenKind::Op(op)) => op,
            _ => return Err(self.fault("a comparison is missing: one of >= <= > < == !=")),
        };
        self.at += 1;
        let right = self.side()?;
        if matches!((&left, &right), (Side::Number(_), Side::Number(_))) {
            self.at -= 1;
            return Err(self.fault("two numbers are compared; one side must be a figure such as ndcg@10"));
        }
        Ok(Node::Compare(left, op, right))
    }

    fn close(&mut self) -> Result<(), CheckError> {
        match self.peek().map(|token| token.kind) {
            Some(TokenKind::Close) => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.fault("`)` is missing")),
        }
    }

    fn side(&mut self) -> Result<Side, CheckError> {
        let missing = "a figure (ndcg@10, quality.ndcg@10, rows(cell)) or a number is missing";
        let token = match self.peek() {
            Some(Token { kind: TokenKind::Number(value), .. }) => {
                let value = *value;
                self.at += 1;
                return Ok(Side::Number(value));
            }
            Some(token) if token.kind == TokenKind::Word => token.clone(),
            _ => return Err(self.fault(missing)),
        };
        if ["and", "or"].iter().any(|word| token.text.eq_ignore_ascii_case(word)) {
            return Err(self.fault(missing));
        }
        self.at += 1;
        if self.peek().is_none_or(|next| next.kind != TokenKind::Open) {
            return Ok(Side::Term(term(&token.text, Part::Value)));
        }
        let part = match token.text.as_str() {
            "lower" => Part::Lower,
            "upper" => Part::Upper,
            "n" => Part::N,
            "rows" => Part::Rows,
            other => {
                self.at -= 1;
                return Err(self.fault(format!("there is no `{other}(...)`: lower, upper, n or rows")));
            }
        };
        self.at += 1;
        let inner = match self.next() {
            Some(token) if token.kind == TokenKind::Word => token.text,
            _ => {
                self.at = self.at.saturating_sub(1);
                return Err(self.fault(format!("`{}(` needs a name", token.text)));
            }
        };
        self.close()?;
        Ok(Side::Term(term(&inner, part)))
    }
}

/// Splits `cell.figure`. Figures may hold dots themselves (`diversity.seed_mean`): the families that
/// the measure ids use are never taken for cells.
fn term(text: &str, part: Part) -> Term {
    const FAMILIES: [&str; 3] = ["accuracy", "diversity", "relevance"];
    if part == Part::Rows {
        return Term { cell: Some(text.into()), figure: String::new(), part };
    }
    let (cell, figure) = match text.split_once('.') {
        Some((family, rest)) if FAMILIES.contains(&family) && rest.starts_with("seed_") => (None, text),
        Some((cell, figure)) => (Some(cell.to_string()), figure),
        None => (None, text),
    };
    Term { cell, figure: figure.into(), part }
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
        assert!(fault("mean(a) > 1").message.contains("lower, upper, n or rows"));
        assert!(fault("1 > 2").message.contains("two numbers"));
        assert!(fault("a > 1 b").message.contains("`b`"));
        assert!(fault("").column == 1);
        assert!(fault(&"(".repeat(1000)).message.contains("parentheses"));
        assert!(fault("rows()>1").message.contains("needs a name"));
        assert!(Check::parse("a > \u{1b}").is_err());
    }
}
