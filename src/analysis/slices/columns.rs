//! Which columns of the relation can be sliced by, and why the others cannot. Types and roles only; what
//! their values are is the business of `attributes`.

use crate::analysis::metrics::columns::texts;
use crate::analysis::metrics::{AnalysisError, Level, MetricId, Need, Roles};
use crate::analysis::slices::SlicesRequest;
use crate::analysis::{Bindings, Queries};
use crate::terms::quote_ident;

/// How the values of a candidate become predicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Equal to a value.
    Category,
    /// Values if they are few, else ranges.
    Number,
    /// As `Number`, and may be NaN.
    Float,
    /// As `Number`, of days.
    Day,
    /// A text to be described.
    Text,
}

/// Something that can be asked of every row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// As a reader calls it: `region`, `words of query`.
    pub name: String,
    /// SQL over the relation's columns.
    pub subject: String,
    pub sort: Sort,
}

/// What is sliced by, and what is not: (column, reason).
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    pub candidates: Vec<Candidate>,
    pub left_out: Vec<(String, String)>,
}

/// Chooses columns by their types and roles.
pub(super) fn plan(
    queries: &mut dyn Queries,
    request: &SlicesRequest,
    id: &MetricId,
) -> Result<Plan, AnalysisError> {
    let batch = queries.rows("slices/describe", &Bindings::new().ident("from", &request.rows.from))?;
    let words = |name: &str| -> Result<Vec<String>, AnalysisError> {
        Ok(texts(&batch, name)?.into_iter().map(Option::unwrap_or_default).collect())
    };
    let columns: Vec<(String, String)> = words("name")?.into_iter().zip(words("type")?).collect();
    let mut plan = Plan::default();
    let texts = text_columns(request, id, &columns)?;
    for (name, sql_type) in asked(request, id, &columns)? {
        let role = request.over.is_empty().then(|| role_of(&request.rows.roles, name)).flatten();
        if let Some(role) = role {
            // The query is described by its text where it has one.
            let described = texts.iter().any(|(text, _)| text == name);
            if !described {
                plan.left_out.push((name.clone(), role.to_owned()));
            }
            continue;
        }
        match sort(sql_type) {
            Some(sort) => plan.candidates.push(candidate(name, sql_type, sort)),
            None => plan.left_out.push((name.clone(), format!("of type {sql_type}"))),
        }
    }
    plan.candidates.extend(texts.iter().map(|(name, _)| Candidate {
        name: name.clone(),
        subject: quote_ident(name),
        sort: Sort::Text,
    }));
    Ok(plan)
}

type Columns<'c> = Vec<&'c (String, String)>;

fn find<'c>(columns: &'c [(String, String)], name: &str) -> Result<&'c (String, String), AnalysisError> {
    columns.iter().find(|(column, _)| column.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let known: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        AnalysisError::request(format!("there is no column {name} to slice by"))
            .with_hint(format!("its columns: {}", known.join(", ")))
    })
}

/// The named columns, or all.
fn asked<'c>(
    request: &SlicesRequest,
    id: &MetricId,
    columns: &'c [(String, String)],
) -> Result<Columns<'c>, AnalysisError> {
    let mut found: Columns = Vec::new();
    for name in &request.over {
        let column = find(columns, name)?;
        if outcome(&request.rows.roles, id).iter().any(|outcome| outcome.eq_ignore_ascii_case(name)) {
            return Err(AnalysisError::request(format!("{id} is made of {name}: slices of it say nothing"))
                .with_hint("leave it out of `over`"));
        }
        if !found.contains(&column) {
            found.push(column);
        }
    }
    Ok(if request.over.is_empty() { columns.iter().collect() } else { found })
}

/// The columns that the metric's outcome comes from.
fn outcome<'r>(roles: &'r Roles, id: &MetricId) -> Vec<&'r String> {
    let of = |need: &Need| match need {
        Need::Gain => roles.gain.as_ref().or(roles.label.as_ref()),
        Need::Label => roles.label.as_ref().or(roles.gain.as_ref()),
        Need::Purchase => roles.purchase.as_ref(),
        _ => None,
    };
    id.metric.needs.iter().filter_map(of).collect()
}

/// Why a column is not sliced by unless it is asked for.
fn role_of(roles: &Roles, name: &str) -> Option<&'static str> {
    let is = |role: &Option<String>| role.as_ref().is_some_and(|role| role.eq_ignore_ascii_case(name));
    let outcomes = [&roles.label, &roles.gain, &roles.purchase];
    if outcomes.into_iter().any(is) {
        return Some("an outcome");
    }
    if is(&roles.score) || is(&roles.position) {
        return Some("what lists are ordered by");
    }
    if is(&roles.query) || is(&roles.item) || is(&roles.user) {
        return Some("names single queries, items or users");
    }
    roles.text.iter().any(|text| text.eq_ignore_ascii_case(name)).then_some("a text")
}

/// The columns whose texts are described: those asked for, else the query and, where rows are measured,
/// the roles' texts (a list has many titles).
fn text_columns<'c>(
    request: &SlicesRequest,
    id: &MetricId,
    columns: &'c [(String, String)],
) -> Result<Columns<'c>, AnalysisError> {
    let mut found: Columns = Vec::new();
    let named = !request.text.is_empty();
    let roles = &request.rows.roles;
    let by_role = roles.query.iter().chain(roles.text.iter().filter(|_| id.metric.level == Level::Row));
    let names: Vec<&String> = if named { request.text.iter().collect() } else { by_role.collect() };
    for name in names {
        let column = match find(columns, name) {
            Ok(column) => column,
            Err(error) if named => return Err(error),
            Err(_) => continue,
        };
        let is_text = column.1.eq_ignore_ascii_case("VARCHAR");
        if named && !is_text {
            return Err(AnalysisError::request(format!("{name} is no text but {}", column.1))
                .with_hint("`text` takes columns of texts; name this one in `over`"));
        }
        if is_text && !found.contains(&column) {
            found.push(column);
        }
    }
    Ok(found)
}

fn sort(sql_type: &str) -> Option<Sort> {
    let name = sql_type.to_uppercase();
    if name.ends_with(']') {
        return None;
    }
    let is = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
    if is(&["VARCHAR", "ENUM", "UUID", "BOOLEAN"]) {
        Some(Sort::Category)
    } else if is(&["FLOAT", "DOUBLE"]) {
        Some(Sort::Float)
    } else if is(&["DATE", "TIMESTAMP"]) {
        Some(Sort::Day)
    } else if is(&[
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
        "DECIMAL",
    ]) {
        Some(Sort::Number)
    } else {
        None
    }
}

fn candidate(name: &str, sql_type: &str, sort: Sort) -> Candidate {
    let column = quote_ident(name);
    let moment = sort == Sort::Day && !sql_type.eq_ignore_ascii_case("DATE");
    let subject = if moment { format!("CAST({column} AS DATE)") } else { column };
    Candidate { name: name.to_owned(), subject, sort }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_become_sorts() {
        for (sql_type, expected) in [
            ("VARCHAR", Some(Sort::Category)),
            ("ENUM('a', 'b')", Some(Sort::Category)),
            ("VARCHAR[]", None),
            ("STRUCT(a INTEGER)", None),
            ("DECIMAL(18,3)", Some(Sort::Number)),
            ("TIMESTAMP WITH TIME ZONE", Some(Sort::Day)),
            ("TIME", None),
            ("INTERVAL", None),
            ("BLOB", None),
        ] {
            assert_eq!(sort(sql_type), expected, "{sql_type}");
        }
    }
}
