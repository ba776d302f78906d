//! From candidates to attributes: reads the rows once, looks at what values there are, and turns each
//! column into predicates that exclude each other, numbered from 1.

use super::columns::{Candidate, Plan, Sort};
use super::condition::{Condition, number, range_words, readable};
use super::text;
use crate::analysis::metrics::AnalysisError;
use crate::analysis::metrics::columns::{counts, one, texts};
use crate::analysis::metrics::{Policy, Roles, Rows};
use crate::analysis::{Bindings, Queries, SqlValue};
use crate::terms::{quote_ident, quote_text};

/// The relation that `slices/rows` makes.
pub(super) const ROWS: &str = "recscope_sliced";
/// Values of a column that are sliced by: the most frequent ones.
const VALUES: usize = 100;
/// From so many distinct values on, a column names things rather than kinds of things.
const NAMES: u64 = 100_000;
/// Up to so many distinct numbers, each is a value of its own; more are cut into ranges.
const FEW: u64 = 8;
/// Texts that are looked through for frequent tokens: the most frequent ones.
const TEXTS: i64 = 20_000;
/// Attributes at most: beyond, the combinations of three run away.
const ATTRIBUTES: usize = 60;

/// One way to divide the rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attribute {
    pub name: String,
    /// What its conditions ask: over the relation, and over the rows as they were read.
    pub subject: String,
    column: String,
    /// In words and as a condition; the code of a value is its place, counted from 1.
    pub values: Vec<(String, Condition)>,
}

impl Attribute {
    /// The code of a row, as SQL over the rows that were read; 0 where no value applies.
    pub fn code(&self) -> String {
        let mut sql = String::from("CASE");
        for (code, (_, condition)) in (1..).zip(&self.values) {
            sql += &format!(" WHEN {} THEN {code}", condition.quick_sql(&self.column));
        }
        sql + " ELSE 0 END"
    }

    /// The predicate of a code in words, and as SQL over the relation.
    pub fn predicate(&self, code: u8) -> Option<(&str, String)> {
        let (words, condition) = self.values.get(usize::from(code).checked_sub(1)?)?;
        Some((words, condition.sql(&self.subject)))
    }
}

/// Reads the rows: `recscope_sliced` then holds the roles' columns under their names, and candidates as
/// recscope_a0, recscope_a1, ... Returns the request's rows as they are there.
pub(super) fn read(
    queries: &mut dyn Queries,
    rows: &Rows,
    candidates: &[Candidate],
) -> Result<Rows, AnalysisError> {
    let mut fields = Vec::new();
    for name in role_columns(rows) {
        fields.push(format!("{}: {}", quote_text(name), quote_ident(name)));
    }
    for (place, candidate) in candidates.iter().enumerate() {
        fields.push(format!("'{}': {}", column(place), candidate.subject));
    }
    let mut bindings = Bindings::new()
        .ident("from", &rows.from)
        .expr("where", rows.filter.clone().unwrap_or_else(|| "TRUE".to_owned()))
        .expr("columns", format!("{{{}}}", fields.join(", ")));
    bindings.values.extend(rows.params.iter().cloned());
    queries.run("slices/rows", &bindings)?;
    Ok(Rows { from: ROWS.to_owned(), filter: None, params: Vec::new(), ..rows.clone() })
}

fn column(place: usize) -> String {
    format!("recscope_a{place}")
}

/// Every column that a metric may read, once.
fn role_columns(rows: &Rows) -> Vec<&String> {
    // Spelled out, so that a new role is not forgotten here.
    let Roles { query, item, user, position, score, label, gain, purchase, text, .. } = &rows.roles;
    let Roles { revenue, margin, category, embedding, published, time, other, .. } = &rows.roles;
    let Policy { propensity, target, reward, q_logged, q_target, examination, clip: _ } = &rows.policy;
    let shown = [query, item, user, position, score, label, gain, purchase];
    let further = [revenue, margin, category, embedding, published, time, other];
    let logged = [propensity, target, reward, q_logged, q_target, examination];
    let single = shown.into_iter().chain(further).chain(logged);
    let mut columns: Vec<&String> = Vec::new();
    for name in single.flatten().chain(text) {
        if !columns.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            columns.push(name);
        }
    }
    columns
}

/// The candidates of a plan with those that texts give, as they are to be read.
pub(super) fn with_lengths(plan: &mut Plan) {
    let texts: Vec<String> =
        plan.candidates.iter().filter(|it| it.sort == Sort::Text).map(|it| it.name.clone()).collect();
    plan.candidates.extend(texts.iter().flat_map(|name| text::lengths(name)));
}

/// Looks at the values of every candidate. Those that cannot be sliced by are added to `plan.left_out`;
/// values in fewer than `least` rows are none.
pub(super) fn attributes(
    queries: &mut dyn Queries,
    plan: &mut Plan,
    least: u64,
    notes: &mut Vec<String>,
) -> Result<Vec<Attribute>, AnalysisError> {
    let mut found: Vec<Attribute> = Vec::new();
    for (place, candidate) in plan.candidates.iter().enumerate() {
        let column = column(place);
        let mut add = |name: &str, values: Vec<(String, Condition)>| {
            let (subject, column) = (candidate.subject.clone(), column.clone());
            found.push(Attribute { name: name.to_owned(), subject, column, values });
        };
        if candidate.sort == Sort::Text {
            let name = &candidate.name;
            add(&format!("script of {name}"), text::scripts(name));
            add(&format!("digit in {name}"), text::digits(name));
            let texts = frequent(queries, &column, 1, TEXTS)?;
            for token in text::tokens(name, &texts, least) {
                add(&token.0.clone(), vec![token]);
            }
            continue;
        }
        match values(queries, candidate, &column, least, notes)? {
            Ok(values) => add(&candidate.name, values),
            Err(reason) => plan.left_out.push((candidate.name.clone(), reason)),
        }
    }
    for attribute in found.drain(ATTRIBUTES.min(found.len())..) {
        plan.left_out
            .push((attribute.name, format!("more than {ATTRIBUTES} attributes: name columns in `over`")));
    }
    Ok(found)
}

type Values = Vec<(String, Condition)>;

/// The values of one column, or why there are none.
fn values(
    queries: &mut dyn Queries,
    candidate: &Candidate,
    column: &str,
    least: u64,
    notes: &mut Vec<String>,
) -> Result<Result<Values, String>, AnalysisError> {
    let profile = queries.rows("slices/profile", &Bindings::new().ident("column", column))?;
    let (nulls, distinct) = (one(&profile, "nulls")? as u64, one(&profile, "distinct_values")? as u64);
    let name = &candidate.name;
    let null = |condition: Condition| (nulls >= least).then(|| (format!("{name} is NULL"), condition));
    if distinct == 0 {
        return Ok(Err("always NULL".to_owned()));
    }
    if candidate.sort == Sort::Category || distinct <= FEW {
        if distinct > NAMES {
            return Ok(Err(format!("about {distinct} different values")));
        }
        let mut frequent = frequent(queries, column, least, VALUES as i64 + 1)?;
        if frequent.len() > VALUES {
            frequent.truncate(VALUES);
            notes.push(format!("{name}: its {VALUES} most frequent values, of about {distinct}"));
        }
        if frequent.is_empty() && nulls < least {
            return Ok(Err(format!("no value in {least} rows")));
        }
        let value = |(value, _): (String, u64)| (format!("{name} = {value}"), Condition::Is(value));
        return Ok(Ok(frequent.into_iter().map(value).chain(null(Condition::Null)).collect()));
    }
    let batch = queries.rows("slices/edges", &Bindings::new().ident("column", column))?;
    let edges: Vec<String> = texts(&batch, "edge")?.into_iter().flatten().collect();
    Ok(Ok(match candidate.sort {
        Sort::Day => {
            let mut edges = edges;
            edges.dedup();
            ranges(name, &edges, |edge| format!("DATE '{edge}'"), Condition::Range)
                .chain(null(Condition::Null))
                .collect()
        }
        _ => {
            let edges: Vec<f64> = edges.iter().filter_map(|edge| edge.parse().ok()).collect();
            let edges: Vec<String> = readable(&edges).into_iter().map(number).collect();
            let float = candidate.sort == Sort::Float;
            let range = if float { Condition::FiniteRange } else { Condition::Range };
            let is_null = if float { Condition::NullOrNotFinite } else { Condition::Null };
            ranges(name, &edges, |edge| edge.to_owned(), range).chain(null(is_null)).collect()
        }
    }))
}

/// The ranges between ascending edges, and those beyond.
fn ranges<'e>(
    name: &'e str,
    edges: &'e [String],
    literal: impl Fn(&str) -> String + 'e,
    condition: fn(Option<String>, Option<String>) -> Condition,
) -> impl Iterator<Item = (String, Condition)> + 'e {
    (0..=edges.len()).filter(|_| !edges.is_empty()).map(move |at| {
        let from = at.checked_sub(1).and_then(|before| edges.get(before)).map(String::as_str);
        let to = edges.get(at).map(String::as_str);
        (range_words(name, from, to), condition(from.map(&literal), to.map(&literal)))
    })
}

fn frequent(
    queries: &mut dyn Queries,
    column: &str,
    least: u64,
    most: i64,
) -> Result<Vec<(String, u64)>, AnalysisError> {
    let bindings = Bindings::new()
        .ident("column", column)
        .value("least", SqlValue::Int(i64::try_from(least).unwrap_or(i64::MAX)))
        .value("most", SqlValue::Int(most));
    let batch = queries.rows("slices/values", &bindings)?;
    let rows = counts(&batch, "rows")?;
    let values = texts(&batch, "value")?;
    Ok(values.into_iter().zip(rows).filter_map(|(value, rows)| Some((value?, rows))).collect())
}
