//! Runs and judgments brought together: ids compared as text, a grade per query and item, and whether the two
//! belong together at all. No metrics here.

use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;

use super::{EvalArgs, Failure, column, query_failure};
use crate::analysis::metrics::{Duplicates, Roles, Rows, convention};
use crate::analysis::{Bindings, Queries};
use crate::cli::err_line;
use crate::engine::lanes::StoreQueries;
use crate::util::figures::{plural, thousands};
use crate::util::sanitise;

/// Table of a grade per query and item.
const JUDGED: &str = "eval_judgments";
/// Share of the judged queries of which a run must have a judged item, and queries from which on that is asked.
const LEAST_SHARE: f64 = 0.01;
const MANY: i64 = 100;
/// Ids of each side that are held beside each other to find out why none is the same.
const COMPARED: i64 = 50_000;

/// A relation and the file behind it.
#[derive(Clone, Copy)]
pub(super) struct File<'f> {
    pub name: &'f str,
    pub path: &'f str,
    pub columns: &'f [String],
}

/// Makes the table of judgments, and says what is repeated in them.
pub(super) fn prepare(queries: &mut StoreQueries, args: &EvalArgs, file: File) -> Result<(), Failure> {
    let [query, item, gain] =
        ["query", "item", "gain"].map(|role| column(args, role, file.columns, file.path));
    let make = Bindings::new()
        .ident("out", JUDGED)
        .ident("qrels", file.name)
        .ident("qrels_query", query?)
        .ident("qrels_item", item?)
        .ident("qrels_gain", gain?);
    queries.run("eval/judgments", &make).map_err(query_failure)?;
    let found =
        queries.rows("eval/repeated", &Bindings::new().ident("judged", JUDGED)).map_err(query_failure)?;
    let path = sanitise::line(file.path);
    if count(&found, "judged") == 0 {
        return Err(Failure::data(format!("{path} holds no judgment")).hint(
            "a row with a query, an item and a grade is one; figures of nothing would pass every gate",
        ));
    }
    let (repeated, conflicting) = (count(&found, "repeated"), count(&found, "conflicting"));
    if repeated == 0 {
        return Ok(());
    }
    let (query, item) = (text(&found, "query"), text(&found, "item"));
    let first = format!("item {} of query {}", sanitise::excerpt(&item, 60), sanitise::excerpt(&query, 60));
    if convention(&args.convention).is_some_and(|preset| preset.rules.duplicates == Duplicates::Refused) {
        return Err(Failure::data(format!(
            "{path} judges {first} twice, which the convention `{}` refuses",
            args.convention
        ))
        .hint("keep one judgment of each item, or take another --convention"));
    }
    let items = plural(repeated as u64, "item is", "items are");
    err_line(&match conflicting {
        0 => format!("note: {path}: {items} judged twice with the same grade"),
        _ => format!(
            "note: {path}: {items} judged twice, {} of them with different grades ({first} the first): the last grade counts; trec_eval refuses such a file",
            thousands(i128::from(conflicting))
        ),
    });
    Ok(())
}

/// Joins a run with the judgments as `out`; an error where they have nothing to do with each other.
pub(super) fn join(
    queries: &mut StoreQueries,
    args: &EvalArgs,
    run: File,
    qrels: File,
    out: &str,
) -> Result<Rows, Failure> {
    let [query, item, score] =
        ["query", "item", "score"].map(|role| column(args, role, run.columns, run.path));
    let (query, item, score) = (query?, item?, score?);
    let fill = Bindings::new()
        .ident("out", out)
        .ident("run", run.name)
        .ident("run_query", query.as_str())
        .ident("run_item", item.as_str())
        .ident("run_score", score.as_str())
        .ident("judged", JUDGED);
    if let Err(error) = queries.run("eval/judged_run", &fill) {
        return Err(no_number(queries, run, &score)?.unwrap_or_else(|| query_failure(error)));
    }
    let sides = Sides { run, qrels, query: &query, item: &item };
    belong_together(queries, args, &sides, out)?;
    Ok(joined(out))
}

/// The joined rows, and what their columns mean.
pub(super) fn joined(out: &str) -> Rows {
    let named = |name: &str| Some(name.to_string());
    let roles = Roles {
        query: named("query"),
        item: named("item"),
        score: named("score"),
        gain: named("gain"),
        position: named("place"),
        ..Roles::default()
    };
    Rows { from: out.into(), roles, ..Rows::default() }
}

/// The first score that is no number, with its row.
fn no_number(queries: &mut StoreQueries, run: File, score: &str) -> Result<Option<Failure>, Failure> {
    let fill = Bindings::new().ident("rows", run.name).ident("value", score);
    let found = queries.rows("eval/no_number", &fill).map_err(query_failure)?;
    if found.num_rows() == 0 {
        return Ok(None);
    }
    let (row, value) = (count(&found, "row"), text(&found, "value"));
    let message = format!(
        "{}, row {row}: the {score} `{}` is not a number",
        sanitise::line(run.path),
        sanitise::excerpt(&value, 60)
    );
    Ok(Some(Failure::data(message).hint(match value.contains(',') {
        true => "write decimals with a point (9.5)",
        false => "repair the row, or name another column with --columns score=COLUMN",
    })))
}

struct Sides<'s> {
    run: File<'s>,
    qrels: File<'s>,
    query: &'s str,
    item: &'s str,
}

fn belong_together(
    queries: &mut StoreQueries,
    args: &EvalArgs,
    sides: &Sides,
    out: &str,
) -> Result<(), Failure> {
    let found = queries.rows("eval/overlap", &Bindings::new().ident("rows", out)).map_err(query_failure)?;
    let [judged, answered, matched] = ["judged", "answered", "matched"].map(|name| count(&found, name));
    let (run, qrels) = (sanitise::line(sides.run.path), sanitise::line(sides.qrels.path));
    tell_missing(&run, judged, answered);
    if args.unmatched || are_of_one_kind(judged, matched) {
        return Ok(());
    }
    let few = (matched as f64) < judged as f64 * LEAST_SHARE;
    let (what, own, other) = match answered {
        0 => ("query", sides.query, "query"),
        _ => ("item", sides.item, "item"),
    };
    let shared = Bindings::new()
        .ident("one", sides.run.name)
        .ident("one_id", own)
        .ident("other", JUDGED)
        .ident("other_id", other);
    let shared = count(&queries.rows("eval/shared_ids", &shared).map_err(query_failure)?, "n");
    let many = if what == "query" { "queries" } else { "items" };
    if shared > 0 && !(few && judged >= MANY) {
        return Ok(());
    }
    let ours = ids(queries, sides.run.name, own)?;
    let theirs = ids(queries, JUDGED, other)?;
    let found = why_different(&ours, &theirs);
    let first = |ids: &[String]| ids.first().cloned().unwrap_or_default();
    let (one, another) = found
        .as_ref()
        .map_or_else(|| (first(&ours), first(&theirs)), |(_, one, another)| (one.clone(), another.clone()));
    let (one, another) = (sanitise::excerpt(&one, 60), sanitise::excerpt(&another, 60));
    let message = match shared {
        0 => format!("no {what} of {run} occurs in {qrels}: `{one}` against `{another}`"),
        _ => format!(
            "{run} has judged items of {matched} of {judged} judged queries only: {shared} of its {many} occur in {qrels}, e.g. `{one}` against `{another}`"
        ),
    };
    let why = found.map_or(String::new(), |(why, ..)| format!("{why}; "));
    Err(Failure::data(message)
        .hint(format!("{why}write the ids of both alike; --unmatched evaluates all the same")))
}

/// Says which judged queries the run does not answer.
pub(super) fn tell_missing(run: &str, judged: i64, answered: i64) {
    if answered < judged {
        err_line(&format!(
            "note: {} of {} judged {} not in {run}",
            thousands(i128::from(judged - answered)),
            thousands(i128::from(judged)),
            if judged == 1 { "query is" } else { "queries are" },
        ));
    }
}

/// Has a run judged items of enough judged queries to be one of their kind?
pub(super) fn are_of_one_kind(judged: i64, matched: i64) -> bool {
    let few = (matched as f64) < judged as f64 * LEAST_SHARE;
    matched > 0 && !(few && judged >= MANY)
}

fn ids(queries: &mut StoreQueries, rows: &str, id: &str) -> Result<Vec<String>, Failure> {
    let fill = Bindings::new().ident("rows", rows).ident("id", id).value("most", COMPARED);
    let found = queries.rows("eval/ids", &fill).map_err(query_failure)?;
    Ok(found.column(0).as_string::<i32>().iter().flatten().map(str::to_owned).collect())
}

/// What would make an id of one side one of the other, in words, and the two.
fn why_different(ours: &[String], theirs: &[String]) -> Option<(&'static str, String, String)> {
    type Same = fn(&str) -> String;
    let ways: [(&str, Same); 7] = [
        ("one side has blanks around them", |id| id.trim().to_owned()),
        ("one side has read them as floating-point numbers (1.0 for 1)", |id| {
            id.strip_suffix(".0").unwrap_or(id).to_owned()
        }),
        ("one side has lost leading zeros", |id| id.trim_start_matches('0').to_owned()),
        ("they differ in upper and lower case", |id| id.to_lowercase()),
        ("one side has them in quotes", |id| id.trim_matches(['"', '\'']).to_owned()),
        ("one side has something before or behind the number", |id| {
            id.chars().filter(char::is_ascii_digit).collect::<String>().trim_start_matches('0').to_owned()
        }),
        ("one side has lost digits: they are floating-point numbers there", |id| {
            id.parse::<f64>().map_or_else(|_| String::new(), |number| format!("{number:e}"))
        }),
    ];
    ways.iter().find_map(|(why, same)| {
        let theirs: HashMap<String, &String> =
            theirs.iter().map(|id| (same(id), id)).filter(|(same, _)| !same.is_empty()).collect();
        ours.iter().find_map(|id| Some((*why, id.clone(), (*theirs.get(&same(id))?).clone())))
    })
}

fn count(rows: &RecordBatch, name: &str) -> i64 {
    let numbers =
        rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>().cloned());
    numbers.filter(|numbers| !numbers.is_empty() && !numbers.is_null(0)).map_or(0, |numbers| numbers.value(0))
}

fn text(rows: &RecordBatch, name: &str) -> String {
    let texts = rows.column_by_name(name).and_then(|column| column.as_string_opt::<i32>().cloned());
    texts
        .filter(|texts| !texts.is_empty() && !texts.is_null(0))
        .map_or_else(String::new, |texts| texts.value(0).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_found() {
        let why = |one: &[&str], other: &[&str]| {
            let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
            why_different(&own(one), &own(other)).map_or("", |(why, ..)| why)
        };
        assert!(why(&["1", "2"], &["1.0", "9.0"]).contains("1.0 for 1"));
        assert!(why(&["0012"], &["12"]).contains("leading zeros"));
        assert!(why(&["ABC"], &["abc"]).contains("case"));
        assert!(why(&[" a"], &["a"]).contains("blanks"));
        assert!(why(&["d12"], &["12"]).contains("before or behind"));
        assert!(why(&["\"a\""], &["a"]).contains("quotes"));
        assert!(why(&["12345678901234567890"], &["1.2345678901234567e19"]).contains("lost digits"));
        assert_eq!(why(&["a"], &["b"]), "");
    }
}
