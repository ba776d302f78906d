//! What a convention changes in the SQL: which rows count, how a gain is read, from which gain an
//! item is relevant; and what is refused. No conventions by name here.

use super::columns::one;
use super::{AnalysisError, Duplicates, Gains, Missing, Rows, Rules, Scores, Unjudged, roles};
use crate::analysis::{Bindings, Queries};
use crate::terms::quote_ident;

/// The predicate of the rows that count: the request's own filter and what the rules add to it.
pub(super) fn kept(rows: &Rows) -> String {
    let own = rows.filter.clone().unwrap_or_else(|| "TRUE".to_owned());
    // On lines of its own: a comment at its end must not swallow what comes behind.
    let mut kept = vec![format!("(\n{own}\n)")];
    let roles = &rows.roles;
    if rows.rules.unjudged == Unjudged::Condensed
        && let Some(judged) = roles.gain.as_ref().or(roles.label.as_ref())
    {
        kept.push(present(&quote_ident(judged)));
    }
    if rows.rules.missing == Missing::Dropped
        && let (Some(query), Some(order)) = (&roles.query, roles.score.as_ref().or(roles.position.as_ref()))
    {
        let (query, order, from) = (quote_ident(query), quote_ident(order), quote_ident(&rows.from));
        // Of the user's rows before unjudged ones go: the query was answered, whatever is left of it.
        let present = present(&order);
        kept.push(format!("{query} IN (SELECT {query} FROM {from} WHERE (\n{own}\n) AND {present})"));
    }
    if kept.len() == 1 { own } else { kept.join(" AND ") }
}

/// Is there a value in a column of any type? NaN is none.
fn present(column: &str) -> String {
    format!("({column} IS NOT NULL AND coalesce(NOT isnan(TRY_CAST({column} AS DOUBLE)), TRUE))")
}

/// The gain of a column, as the rules read it.
pub(super) fn graded(rows: &Rows, column: &str) -> String {
    match rows.rules.gains {
        Gains::Given => column.to_owned(),
        Gains::Whole => format!("trunc(CAST({column} AS DOUBLE))"),
        Gains::Binary => format!(
            "CASE WHEN nullif(CAST({column} AS DOUBLE), CAST('nan' AS DOUBLE)) >= CAST({:?} AS DOUBLE) THEN 1.0 WHEN {} THEN 0.0 END",
            rows.relevant_at,
            present(column)
        ),
        Gains::Esci { substitute, complement } => format!(
            "CASE upper(trim(CAST({column} AS VARCHAR))) \
             WHEN 'E' THEN '1' WHEN 'EXACT' THEN '1' \
             WHEN 'S' THEN '{substitute:?}' WHEN 'SUBSTITUTE' THEN '{substitute:?}' \
             WHEN 'C' THEN '{complement:?}' WHEN 'COMPLEMENT' THEN '{complement:?}' \
             WHEN 'I' THEN '0' WHEN 'IRRELEVANT' THEN '0' ELSE CAST({column} AS VARCHAR) END"
        ),
    }
}

/// A score in the precision in which it is compared.
pub(super) fn precise(rows: &Rows, column: &str) -> String {
    match rows.rules.scores {
        Scores::Double => column.to_owned(),
        // What is too large for 32 bits is infinite, as in C.
        Scores::Single => format!(
            "CAST(coalesce(TRY_CAST({column} AS FLOAT), \
             TRY_CAST({column} AS DOUBLE) * CAST('inf' AS DOUBLE)) AS DOUBLE)"
        ),
    }
}

/// The gain from which an item is relevant, of gains as [`graded`] reads them.
pub(super) fn threshold(rows: &Rows) -> f64 {
    if rows.rules.gains == Gains::Binary && rows.roles.gain.is_some() { 1.0 } else { rows.relevant_at }
}

/// An error where a repeated item may not be.
pub(super) fn refuse(rows: &Rows, repeats: u64) -> Result<(), AnalysisError> {
    if rows.rules.duplicates != Duplicates::Refused {
        return Ok(());
    }
    let message = format!("{repeats} rows repeat an item of their list, which this convention refuses");
    Err(AnalysisError::request(message)
        .with_hint("remove the copies, or take a convention that keeps the best-ranked (recscope)"))
}

/// Where the last of several copies is to stay: the rows without the others, as a relation of their own.
pub(super) fn last_copies(queries: &mut dyn Queries, rows: &Rows) -> Result<Option<Rows>, AnalysisError> {
    let (Duplicates::Last, Some(item)) = (rows.rules.duplicates, &rows.roles.item) else { return Ok(None) };
    let keys = [&rows.roles.query, &rows.roles.user, &rows.roles.item];
    let keys = keys.into_iter().flatten().cloned().collect();
    let bindings = Bindings::new().ident("from", &rows.from).idents("keys", keys).ident("item", item);
    queries.run("metrics/last_copies", &bindings)?;
    Ok(Some(Rows { from: "recscope_last".to_owned(), ..rows.clone() }))
}

/// Where queries without an answer are to go: rows whose filter names these few, or none, instead of
/// looking every row's query up in all of them, which each statement would do anew.
pub(super) fn answered(queries: &mut dyn Queries, rows: &Rows) -> Result<Option<Rows>, AnalysisError> {
    let roles = &rows.roles;
    let order = roles.score.as_ref().or(roles.position.as_ref());
    let (Missing::Dropped, Some(query), Some(order)) = (rows.rules.missing, &roles.query, order) else {
        return Ok(None);
    };
    let own = rows.filter.as_deref().unwrap_or("TRUE");
    let bindings = Bindings::new().ident("from", &rows.from).ident("query", query).ident("order", order);
    let mut bindings = bindings.expr("where", own);
    bindings.values.extend(rows.params.iter().cloned());
    let query = quote_ident(query);
    let mut filter = format!("(\n{own}\n) AND {query} IS NOT NULL");
    if queries.rows("metrics/unscored", &bindings)?.num_rows() > 0 {
        queries.run("metrics/unanswered", &bindings)?;
        filter.push_str(&format!(" AND {query} NOT IN (SELECT query FROM temp.recscope_unanswered)"));
    }
    let rules = Rules { missing: Missing::Counted, ..rows.rules };
    Ok(Some(Rows { filter: Some(filter), rules, ..rows.clone() }))
}

/// Do logged positions count from 0? Says so; an error where some lists begin at 0 and as many at 1.
pub(super) fn from_zero(queries: &mut dyn Queries, rows: &Rows) -> Result<Option<String>, AnalysisError> {
    let (Some(column), Some(bindings)) = (&rows.roles.position, roles::first_positions(rows)) else {
        return Ok(None);
    };
    let found = queries.rows("policy/first_positions", &bindings)?;
    let (zeros, ones) = (one(&found, "zeros")?, one(&found, "ones")?);
    if zeros == 0.0 {
        return Ok(None);
    }
    // A list may lack its first row: a few that begin at 1 do not make 0 a mark of something else.
    if ones > zeros / 10.0 {
        let message =
            format!("`{column}` begins at 0 in {zeros} lists and at 1 in {ones}: is 0 the first position?");
        return Err(AnalysisError::request(message).with_hint(format!(
            "count them from 1 in an sql cell: SELECT * REPLACE ({column} + 1 AS {column}), or, where 0 says that nothing was shown, nullif({column}, 0)"
        )));
    }
    let rest = if ones > 0.0 {
        format!(" (in {ones} of {} lists none is at 0)", zeros + ones)
    } else {
        String::new()
    };
    Ok(Some(format!("positions in `{column}` begin at 0: counted from 1{rest}")))
}

/// The database's refusal to read a grade, in words that help.
pub(super) fn unreadable(error: AnalysisError, rows: &Rows) -> AnalysisError {
    match (&error, &rows.roles.gain) {
        (AnalysisError::Query(text), Some(gain)) if text.contains("Could not convert string") => {
            let what = text.split('\'').nth(1).unwrap_or_default();
            AnalysisError::request(format!("`{what}` is not a number (the gain is the column {gain})")).with_hint(
                "grades are numbers; E, S, C, I are read under --convention esci-paper or esci-script (convention = \"esci-paper\" in a cell)",
            )
        }
        _ => error,
    }
}
