//! A value as an `sql` cell of its own: the engine is asked for the text, and the cell is written when it
//! comes. To see, check or change how a value comes about.

use super::drill::{follow, group, slice};
use super::run;
use crate::notebook::Kind;
use crate::notebook::spec::CellSpec;
use crate::protocol::{Problem, Request};
use crate::screen::app::update::engine_events::one_line;
use crate::screen::app::value::Value;
use crate::screen::app::{App, Effect, EngineState, Pane, Tone};

/// Asks for the SQL of the value in focus.
pub fn ask(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(cell) = app.focused_cell().map(str::to_owned) else { return };
    if !matches!(app.engine, EngineState::Ready { .. }) {
        return app.say(Tone::Info, "a value's SQL comes from the engine, which is not there yet");
    }
    let (params, _) = app.doc.notebook().params(&app.params);
    let found = match app.doc.notebook().spec(&cell, &params) {
        Ok(CellSpec::Metrics(spec)) => metric(app, &cell).zip(group(app, &cell, &spec.by)),
        // Of a two-sided table the row says which.
        Ok(CellSpec::Fairness(spec)) => metric(app, &cell).or(Some(spec.metric)).zip(slice(app, &cell)),
        Ok(CellSpec::Slices(spec)) => Some(spec.metric).zip(slice(app, &cell)),
        _ => {
            let what = "values of metrics, fairness and slices cells open as SQL; Enter follows this row";
            return app.say(Tone::Info, what);
        }
    };
    let Some((metric, (predicate, _))) = found else {
        return app.say(Tone::Info, "this row has not arrived yet");
    };
    run::sync(app, effects);
    let seq = app.next_seq();
    app.recipe = Some((seq, cell.clone(), name(&cell, &metric)));
    effects.push(Effect::Send(Request::Recipe { seq, cell, metric: Some(metric), predicate }));
}

/// The text has come: the cell is written and run.
pub fn take(app: &mut App, seq: u64, result: Result<String, Problem>, effects: &mut Vec<Effect>) {
    let Some((_, cell, name)) = app.recipe.take_if(|asked| asked.0 == seq) else { return };
    match result {
        Err(problem) => app.say(Tone::Bad, one_line(&problem)),
        // Gone or elsewhere meanwhile: nobody waits for it any more.
        Ok(_) if app.focused_cell() != Some(&cell) => {}
        Ok(sql) => follow(app, &cell, Kind::Sql, &name, &sql, Pane::Result, effects),
    }
}

/// The metric of the row in focus.
fn metric(app: &App, cell: &str) -> Option<String> {
    let run = app.run(cell)?;
    let table = run.table.as_ref()?;
    match table.value(run.grid.row, table.column("metric")?)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// `quality` and `ndcg@10` make `quality_ndcg_10`.
fn name(cell: &str, metric: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("{cell}_{}", metric.chars().map(word).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Event, ProblemKind};
    use crate::screen::app::{Msg, fake};

    fn driver() -> fake::Driver {
        let text = "---\nsources: { log: a.parquet }\nschema: { query: q, score: s, gain: g }\n---\n\
                    ```fairness regions\nfrom = \"log\"\nmetric = \"ndcg@10\"\nslices = [\"region\"]\n```\n";
        let mut d = fake::Driver::new(text, 120, 40);
        d.keys("R");
        d.finish(|_| fake::fairness_info("regions"));
        d.keys("G enter");
        d.answer(fake::fairness_page);
        d.send(Msg::Engine(Event::Ready { version: "1".into(), duckdb: "v1".into(), device: "cpu".into() }));
        d
    }

    fn asked(d: &fake::Driver) -> Option<(u64, String)> {
        d.effects.iter().rev().find_map(|effect| match effect {
            Effect::Send(Request::Recipe { seq, predicate, .. }) => Some((*seq, predicate.clone())),
            _ => None,
        })
    }

    #[test]
    fn a_value_becomes_a_cell_when_its_sql_comes() {
        let mut d = driver();
        d.keys("O");
        let (seq, predicate) = asked(&d).unwrap();
        assert_eq!(predicate, "\"region\" = 'south'");
        d.send(Msg::Engine(Event::Recipe { seq: seq + 1, result: Ok("SELECT 0".into()) }));
        assert_eq!(d.app.focused_cell(), Some("regions"), "an answer to another question");
        d.send(Msg::Engine(Event::Recipe { seq, result: Ok("SELECT 1 AS one\n".into()) }));
        assert_eq!(d.app.focused_cell(), Some("regions_ndcg_10"));
        let cell = d.app.doc.notebook().cell("regions_ndcg_10").unwrap();
        assert_eq!((cell.kind, cell.body.trim()), (Kind::Sql, "SELECT 1 AS one"));
        d.keys("esc");
        assert_eq!(d.app.focused_cell(), Some("regions"));
    }

    #[test]
    fn why_there_is_none_is_said() {
        let mut d = driver();
        d.keys("O");
        let (seq, _) = asked(&d).unwrap();
        let problem = Problem::new(ProblemKind::Usage, "not in SQL alone").hint("see docs");
        d.send(Msg::Engine(Event::Recipe { seq, result: Err(problem) }));
        assert!(d.app.status.as_ref().unwrap().text.contains("not in SQL alone — see docs"));
        assert_eq!(d.app.focused_cell(), Some("regions"));
    }
}
