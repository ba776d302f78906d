//! From the text of a check line to what it is made of: tokens, and a parser by recursive descent.

use super::{CheckError, ConfidenceLevel, Delta, Node, Op, Part, Side, Term};

#[derive(Debug, Clone, PartialEq)]
struct Token {
    text: String,
    column: u32,
    kind: TokenKind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum TokenKind {
    Word,
    /// In quotes: a name that may hold anything.
    Name,
    Number(f64),
    Op(Op),
    Open,
    Close,
    Comma,
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
        let text = match kind {
            TokenKind::Name => rest.iter().take(length - 1).skip(1).collect(),
            _ => rest.iter().take(length).collect(),
        };
        tokens.push(Token { text, column, kind });
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
        (',', _) => (TokenKind::Comma, 1),
        ('\'' | '"', _) => match rest.iter().skip(1).position(|c| *c == first) {
            Some(0) => return Err("the name in quotes is empty".into()),
            Some(length) => (TokenKind::Name, length + 2),
            None => return Err("a quote is not closed".into()),
        },
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

/// Words that are no figures.
const RESERVED: [&str; 4] = ["and", "or", "unless", "at"];

pub(super) struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// Column just behind the text.
    end: u32,
    depth: usize,
}

impl Parser {
    pub fn new(text: &str) -> Result<Self, CheckError> {
        Ok(Self { tokens: tokens(text)?, at: 0, end: text.chars().count() as u32 + 1, depth: 0 })
    }

    /// The whole line.
    pub fn whole(mut self) -> Result<Node, CheckError> {
        let node = self.or()?;
        match self.peek() {
            None => Ok(node),
            Some(token) => Err(self.fault(format!("`{}` is not expected here", token.text))),
        }
    }

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
        while self.takes_word("or") || self.takes_word("unless") {
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
        self.at_level(left, op, right)
    }

    /// `... at 0.95`: not the figure is compared, but the end of its interval that could prove it wrong.
    fn at_level(&mut self, mut left: Side, op: Op, mut right: Side) -> Result<Node, CheckError> {
        let begins = self.peek().map_or(self.end, |token| token.column);
        if !self.takes_word("at") {
            return Ok(Node::Compare(left, op, right));
        }
        let level = match self.peek().map(|token| token.kind) {
            Some(TokenKind::Number(share)) => ConfidenceLevel::new(share),
            _ => None,
        };
        let level = level.ok_or_else(|| self.fault("`at` needs a level between 0.5 and 1, such as 0.95"))?;
        self.at += 1;
        let fault = |message: &str| CheckError { column: begins, message: message.into() };
        let upwards = match op {
            Op::Ge | Op::Gt => true,
            Op::Le | Op::Lt => false,
            Op::Eq | Op::Ne => return Err(fault("`at` goes with >=, >, <= and <")),
        };
        let (term, figure_is_left) = match (&mut left, &mut right) {
            (Side::Term(_), Side::Term(_)) => {
                return Err(fault("`at` goes with one figure and a number"));
            }
            (Side::Term(term), _) => (term, true),
            (_, Side::Term(term)) => (term, false),
            _ => return Err(fault("`at` goes with a figure")),
        };
        if term.part != Part::Value {
            return Err(fault("`at` goes with a figure itself, not with lower(...), upper(...) or a count"));
        }
        term.part = if upwards == figure_is_left { Part::LowerAt(level) } else { Part::UpperAt(level) };
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
        if RESERVED.iter().any(|word| token.text.eq_ignore_ascii_case(word)) {
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
            "worst" => Part::Worst,
            "best" => Part::Best,
            "rows" => Part::Rows,
            "delta" => return self.delta(Part::Value).map(Side::Term),
            other => {
                self.at -= 1;
                let known = "lower, upper, worst, best, n, rows or delta";
                return Err(self.fault(format!("there is no `{other}(...)`: {known}")));
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
        let nested = inner == "delta" && self.peek().is_some_and(|next| next.kind == TokenKind::Open);
        let term = match nested {
            true if part == Part::Rows => return Err(self.fault("`rows(` needs the name of a cell")),
            true => self.delta(part)?,
            false => term(&inner, part),
        };
        self.close()?;
        Ok(Side::Term(term))
    }

    /// `(new, old)` or `(cell.new, cell.old, metric)` behind the word `delta`.
    fn delta(&mut self, part: Part) -> Result<Term, CheckError> {
        self.at += 1;
        let mut cell: Option<String> = None;
        let mut names: Vec<String> = Vec::new();
        loop {
            let token = match self.peek() {
                Some(token) if matches!(token.kind, TokenKind::Word | TokenKind::Name) => token.clone(),
                _ => return Err(self.fault("`delta(` needs two runs, such as delta(new_score, old_score)")),
            };
            // Quoted names and metrics keep their dots.
            let split =
                token.text.split_once('.').filter(|_| token.kind == TokenKind::Word && names.len() < 2);
            match split {
                Some((prefix, name)) => {
                    if cell.as_ref().is_some_and(|cell| cell != prefix) {
                        return Err(self.fault("both runs belong to one compare cell"));
                    }
                    cell = Some(prefix.to_string());
                    names.push(name.to_string());
                }
                None => names.push(token.text),
            }
            self.at += 1;
            match self.peek().map(|token| token.kind) {
                Some(TokenKind::Comma) if names.len() < 3 => self.at += 1,
                _ => break,
            }
        }
        self.close()?;
        let mut names = names.into_iter();
        let (Some(new), Some(old)) = (names.next(), names.next()) else {
            self.at -= 1;
            return Err(self.fault("`delta(` needs two runs, such as delta(new_score, old_score)"));
        };
        let delta = Delta { new, old, metric: names.next() };
        Ok(Term { cell, figure: delta.to_string(), delta: Some(Box::new(delta)), part })
    }
}

/// Splits `cell.figure`. Figures may hold dots themselves (`diversity.seed_mean`): the families that
/// the measure ids use are never taken for cells.
fn term(text: &str, part: Part) -> Term {
    const FAMILIES: [&str; 3] = ["accuracy", "diversity", "relevance"];
    if part == Part::Rows {
        return Term { cell: Some(text.into()), figure: String::new(), delta: None, part };
    }
    let (cell, figure) = match text.split_once('.') {
        Some((family, rest)) if FAMILIES.contains(&family) && rest.starts_with("seed_") => (None, text),
        Some((cell, figure)) => (Some(cell.to_string()), figure),
        None => (None, text),
    };
    Term { cell, figure: figure.into(), delta: None, part }
}
