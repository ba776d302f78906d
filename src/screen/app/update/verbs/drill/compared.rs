//! Enter in a comparison: from a line to the queries that moved most, from a query to both of its lists
//! side by side, from there to its rows. Each step is the cell again with another `detail`, held to what
//! was chosen.

use super::{follow, rows_sql};
use crate::notebook::Kind;
use crate::notebook::spec::{CellSpec, CompareSpec, Compared, Input};
use crate::screen::app::value::Value;
use crate::screen::app::{App, Effect, Pane, Tone};
use crate::terms::Detail;

pub fn closer(app: &mut App, cell: &str, effects: &mut Vec<Effect>) {
    let (params, _) = app.doc.notebook().params(&app.params);
    let spec = match app.doc.notebook().spec(cell, &params) {
        Ok(CellSpec::Compare(spec)) => spec,
        Ok(_) => return,
        Err(faults) => {
            let why = faults.first().map_or_else(String::new, ToString::to_string);
            return app.say(Tone::Bad, format!("{cell} cannot be followed: {why}"));
        }
    };
    let (Some(run), Some(metric), Some(predicate)) =
        (text(app, cell, "run"), text(app, cell, "metric"), text(app, cell, "predicate"))
    else {
        return app.say(Tone::Info, "this row has not arrived yet");
    };
    if spec.detail == Detail::Lists {
        return rows(app, cell, &spec, &run, &predicate, effects);
    }
    let detail = if spec.detail == Detail::Summary { "queries" } else { "lists" };
    let Some(body) = app
        .doc
        .notebook()
        .cell(cell)
        .and_then(|cell| narrowed(&cell.body, &spec, &run, &metric, &predicate, detail))
    else {
        return app.say(Tone::Bad, format!("{cell} cannot be followed: its text cannot be read"));
    };
    let stem = cell.strip_suffix("_queries").unwrap_or(cell);
    follow(app, cell, Kind::Compare, &format!("{stem}_{detail}"), &body, Pane::Result, effects);
}

/// A text of the row in focus.
fn text(app: &App, cell: &str, column: &str) -> Option<String> {
    let run = app.run(cell)?;
    let table = run.table.as_ref()?;
    match table.value(run.grid.row, table.column(column)?)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The cell's text for one run, one metric and some of the rows; what the author wrote otherwise stays.
fn narrowed(
    body: &str,
    spec: &CompareSpec,
    run: &str,
    metric: &str,
    predicate: &str,
    detail: &str,
) -> Option<String> {
    let mut table: toml::Table = body.parse().ok()?;
    let key = if matches!(spec.runs, Compared::Scores(_)) { "scores" } else { "runs" };
    let both = [spec.runs.names().first()?.as_str(), run];
    table.insert(key.into(), both.map(toml::Value::from).to_vec().into());
    if !predicate.is_empty() && predicate != "TRUE" {
        let filter = match table.get("where").and_then(toml::Value::as_str) {
            // A step before this one has named it already.
            Some(filter) if filter.contains(predicate) => filter.to_owned(),
            Some(filter) => format!("({filter}) AND {predicate}"),
            None => predicate.to_owned(),
        };
        table.insert("where".into(), filter.into());
    }
    table.insert("show".into(), vec![toml::Value::from(metric)].into());
    table.insert("detail".into(), detail.into());
    if detail == "lists" {
        table.remove("top_queries");
    }
    for chance in ["by", "check", "resamples", "permutations", "interval", "detect"] {
        table.remove(chance);
    }
    toml::to_string(&table).ok()
}

/// The rows of a query in the run that is compared.
fn rows(
    app: &mut App,
    cell: &str,
    spec: &CompareSpec,
    run: &str,
    predicate: &str,
    effects: &mut Vec<Effect>,
) {
    let from = match &spec.runs {
        Compared::Scores(_) => spec.input.from.clone(),
        Compared::Runs(_) => run.to_owned(),
    };
    let filter = spec.input.filter.clone();
    // A cell made by a step from the queries names its query already.
    let named = filter.as_ref().is_some_and(|filter| filter.contains(predicate));
    let sql = rows_sql(cell, &Input { from, filter }, if named { "" } else { predicate }, run);
    let stem = cell.strip_suffix("_lists").unwrap_or(cell);
    follow(app, cell, Kind::Sql, &format!("{stem}_rows"), &sql, Pane::Result, effects);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use arrow::record_batch::RecordBatch;

    use super::*;
    use crate::notebook::Notebook;
    use crate::protocol::{Page, PageSpec, RelationInfo, RowCount};
    use crate::screen::app::fake;

    fn spec(body: &str) -> (Option<CompareSpec>, Vec<String>) {
        let notebook = Notebook::parse(&format!("```compare c\n{body}```\n"));
        let (params, _) = notebook.params(&[]);
        let (spec, faults) = notebook.read_cell(notebook.cell("c").unwrap(), &params);
        let spec = match spec {
            Some(CellSpec::Compare(spec)) => Some(spec),
            _ => None,
        };
        (spec, faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_step_closer_is_the_cell_held_to_what_was_chosen() {
        let body = "from = \"rel\"\nwhere = \"day = 3 or day = 4\"\nscores = [\"a\", \"b\", \"c\"]\nquery = \"q\"\n\
                    gain = \"g\"\nby = [\"region\"]\ncheck = \"p > 0\"\n";
        let asked = spec(body).0.unwrap();
        let text = narrowed(body, &asked, "c", "ndcg@10", "\"region\" = 'it''s \"x\"'", "queries").unwrap();
        let (found, faults) = spec(&text);
        let found = found.unwrap();
        assert_eq!(faults, Vec::<String>::new(), "{text}");
        assert_eq!(found.runs, Compared::Scores(vec!["a".into(), "c".into()]));
        assert_eq!((found.detail, found.show), (Detail::Queries, vec!["ndcg@10".to_owned()]));
        assert_eq!(
            found.input.filter.as_deref(),
            Some("(day = 3 or day = 4) AND \"region\" = 'it''s \"x\"'")
        );
        assert!(found.by.is_empty() && found.checks.is_empty() && found.roles.gain.as_deref() == Some("g"));
    }

    fn info(name: &str) -> RelationInfo {
        let columns = ["run", "metric", "predicate"].map(|name| fake::column(name, "VARCHAR", None)).to_vec();
        RelationInfo { name: name.into(), rows: RowCount::Exact(1), columns }
    }

    fn page(spec: &PageSpec) -> Page {
        let texts = ["new", "mrr", "\"query\" = '跑鞋'"];
        let fields =
            info("").columns.iter().map(|c| Field::new(&c.name, DataType::Utf8, true)).collect::<Vec<_>>();
        let arrays = texts.map(|text| Arc::new(StringArray::from(vec![text])) as ArrayRef).to_vec();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
        Page {
            spec: spec.clone(),
            total: RowCount::Exact(1),
            columns: info("").columns,
            ipc: fake::ipc(&batch),
        }
    }

    #[test]
    fn enter_leads_to_queries_to_lists_and_to_rows() {
        let text = "---\nsources: { log: a.parquet }\nschema: { query: query, gain: g }\n---\n\
                    ```compare c\nfrom = \"log\"\nscores = [\"old\", \"new\"]\n```\n";
        let mut d = fake::Driver::new(text, 120, 40);
        d.keys("R");
        d.finish(info);
        d.keys("G enter");
        d.answer(page);
        let mut bodies = Vec::new();
        for step in ["c_queries", "c_lists", "c_rows"] {
            d.keys("enter");
            assert_eq!(d.app.focused_cell(), Some(step));
            bodies.push(d.app.doc.notebook().cell(step).unwrap().body.clone());
            d.finish(info);
            d.answer(page);
        }
        assert!(
            bodies[0].contains("detail = \"queries\"") && bodies[0].contains("show = [\"mrr\"]"),
            "{bodies:?}"
        );
        assert!(bodies[1].contains("detail = \"lists\"") && bodies[1].contains("跑鞋"), "{bodies:?}");
        assert!(bodies[2].contains("FROM log") && bodies[2].matches("跑鞋").count() == 1, "{bodies:?}");
        d.keys("esc esc esc");
        assert_eq!(d.app.focused_cell(), Some("c"));
    }
}
