//! Reading a `compare` cell: what is compared, and whether its checks name runs and metrics that it has.

use super::super::check::Check;
use super::super::diagnostics::nearest;
use super::super::spec::{CompareSpec, Compared, Roles};
use super::super::values::Values;
use super::{input, roles, seed, show};

pub(super) fn compare(values: &mut Values<'_>, schema: &Roles, checks: Vec<String>) -> Option<CompareSpec> {
    let runs = compared(values)?;
    let show = show(values);
    deltas(values, &checks, runs.names(), &show);
    if matches!(runs, Compared::Scores(_)) && values.has("score") {
        let hint = "`scores` names the columns to order by".to_string();
        values.fault("score", "`score` and `scores` contradict each other", Some(hint));
    }
    let roles = compared_roles(values, schema, &runs);
    Some(CompareSpec {
        input: input(values),
        roles,
        runs,
        relevant_at: values.float("relevant_at").unwrap_or(1.0),
        ties: values.choice("ties"),
        show,
        by: values.list("by"),
        detail: values.choice("detail"),
        top_queries: values.int("top_queries").unwrap_or(20) as usize,
        detect: values.float("detect"),
        interval: values.choice("interval"),
        resamples: values.int("resamples").unwrap_or(1000) as u32,
        permutations: values.int("permutations").unwrap_or(10_000) as u32,
        seed: seed(values),
        checks,
    })
}

/// `from` with `scores`, or `runs`; at least two of either, each once.
fn compared(values: &mut Values<'_>) -> Option<Compared> {
    let example =
        "e.g. from = \"rel\" with scores = [\"old_score\", \"new_score\"], or runs = [\"old\", \"new\"]";
    let key = match (values.has("scores"), values.has("runs")) {
        (true, true) => {
            let hint = "keep one: columns of one relation, or relations".to_string();
            values.fault("runs", "`scores` and `runs` contradict each other", Some(hint));
            "scores"
        }
        (true, false) => "scores",
        (false, true) => "runs",
        (false, false) => {
            values.fault("", "what is compared is missing", Some(example.into()));
            return None;
        }
    };
    if key == "scores" && !values.has("from") {
        values.fault("scores", "`from` is missing", Some(example.into()));
    }
    if key == "runs" && values.has("from") && !values.has("scores") {
        let hint = "`runs` name the relations themselves".to_string();
        values.fault("from", "`from` and `runs` contradict each other", Some(hint));
    }
    let names = values.list(key);
    if names.len() < 2 {
        values.fault(key, "a comparison needs at least two", Some(example.into()));
    }
    let twice = names
        .iter()
        .enumerate()
        .find(|(at, name)| names.iter().take(*at).any(|before| before.eq_ignore_ascii_case(name)));
    if let Some((_, name)) = twice {
        values.fault(key, format!("`{name}` is named twice"), Some("name each run once".into()));
    }
    Some(if key == "scores" { Compared::Scores(names) } else { Compared::Runs(names) })
}

/// The cell's roles over the schema's. The rank may be one of the scores, and so does not set the schema's
/// score aside.
fn compared_roles(values: &mut Values<'_>, schema: &Roles, runs: &Compared) -> Roles {
    let mut roles = roles(values, schema);
    if let Compared::Scores(names) = runs {
        let position = roles.position.clone();
        roles.score = names.iter().find(|name| Some(*name) != position.as_ref()).cloned();
    }
    roles
}

/// Every `delta(...)` of this cell's own checks against its runs and metrics.
fn deltas(values: &mut Values<'_>, checks: &[String], runs: &[String], show: &[String]) {
    let mut faults: Vec<(String, Option<String>)> = Vec::new();
    for check in checks.iter().filter_map(|check| Check::parse(check).ok()) {
        for term in check.terms().into_iter().filter(|term| term.cell.is_none()) {
            let Some(delta) = &term.delta else { continue };
            let known = |name: &String| runs.iter().any(|run| run.eq_ignore_ascii_case(name));
            if let Some(name) = [&delta.new, &delta.old].into_iter().find(|name| !known(name)) {
                let hint = nearest(name, runs.iter().map(String::as_str)).map_or_else(
                    || format!("the runs are: {}", runs.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                faults.push((format!("`{term}`: this cell has no run `{name}`"), Some(hint)));
            } else if let Some(baseline) = runs.first().filter(|first| {
                !first.eq_ignore_ascii_case(&delta.new) && !first.eq_ignore_ascii_case(&delta.old)
            }) {
                let hint = format!("name the baseline `{baseline}`, which is the first, as one of the two");
                faults.push((format!("`{term}`: every run is compared with the baseline"), Some(hint)));
            } else if delta.new.eq_ignore_ascii_case(&delta.old) {
                faults.push((format!("`{term}` compares a run with itself"), None));
            }
            let Some(metric) = &delta.metric else { continue };
            let shown = |metric: &str| show.iter().any(|shown| shown.trim().eq_ignore_ascii_case(metric));
            if !shown(metric.trim()) {
                let hint = nearest(metric, show.iter().map(String::as_str)).map_or_else(
                    || format!("`show` has: {}", show.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                faults.push((format!("`{term}`: this cell does not show `{metric}`"), Some(hint)));
            }
        }
    }
    for (message, hint) in faults {
        values.fault("check", message, hint);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Notebook;
    use super::super::super::spec::CellSpec;
    use super::*;

    fn read(body: &str) -> (Option<CompareSpec>, String) {
        let front = "---\nschema: { query: q, item: sku, gain: grade, position: pos }\n---\n";
        let notebook = Notebook::parse(&format!("{front}```compare x\n{body}```\n"));
        let (params, _) = notebook.params(&[]);
        let (spec, faults) = notebook.read_cell(notebook.cell("x").unwrap(), &params);
        let spec = match spec {
            Some(CellSpec::Compare(spec)) => Some(spec),
            _ => None,
        };
        (spec, faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn columns_or_relations_are_compared() {
        let (spec, faults) = read("from = \"a\"\nscores = [\"pos\", \"new\"]\ninterval = \"bca\"\n");
        let spec = spec.unwrap();
        assert_eq!((faults.as_str(), spec.interval), ("", crate::terms::IntervalMethod::Bca));
        assert_eq!(spec.roles.score.as_deref(), Some("new"));
        assert_eq!(spec.roles.position.as_deref(), Some("pos"));
        assert_eq!(
            (spec.permutations, spec.top_queries, spec.detail),
            (10_000, 20, crate::terms::Detail::Summary)
        );
        let (spec, faults) = read("runs = [\"a\", \"b\", \"c\"]\ndetail = \"lists\"\n");
        assert_eq!(faults, "");
        assert_eq!(spec.unwrap().runs, Compared::Runs(["a", "b", "c"].map(String::from).to_vec()));
    }

    #[test]
    fn what_cannot_be_compared_is_said_with_a_way_out() {
        for (body, said) in [
            ("from = \"a\"\n", "what is compared is missing"),
            ("from = \"a\"\nscores = [\"s\"]\n", "at least two"),
            ("from = \"a\"\nscores = [\"s\", \"S\"]\n", "named twice"),
            ("scores = [\"s\", \"t\"]\n", "`from` is missing"),
            ("from = \"a\"\nruns = [\"s\", \"t\"]\n", "contradict"),
            ("from = \"a\"\nscores = [\"s\", \"t\"]\nscore = \"s\"\n", "contradict"),
            ("from = \"a\"\nscores = [\"s\", \"t\"]\nruns = [\"s\", \"t\"]\n", "contradict"),
            ("from = \"a\"\nscore = [\"s\", \"t\"]\n", "`score` takes"),
        ] {
            let (_, faults) = read(body);
            assert!(faults.contains(said), "{body}: {faults}");
        }
    }

    #[test]
    fn checks_name_runs_and_metrics_that_there_are() {
        let cell = |check: &str| {
            read(&format!("from = \"a\"\nscores = [\"old\", \"new\", \"newer\"]\nshow = [\"ndcg@10\"]\ncheck = \"{check}\"\n")).1
        };
        assert_eq!(cell("delta(new, old) > 0 at 0.95 and delta(old, newer, NDCG@10) < 0"), "");
        assert_eq!(cell("delta(other.x, other.y) > 0"), "");
        assert!(
            cell("delta(nwe, old) > 0").contains("no run `nwe` (did you mean `new`?)"),
            "{}",
            cell("delta(nwe, old) > 0")
        );
        assert!(cell("delta(newer, new) > 0").contains("baseline"), "{}", cell("delta(newer, new) > 0"));
        assert!(cell("delta(old, old) > 0").contains("itself"));
        assert!(cell("delta(new, old, ndgc@10) > 0").contains("did you mean `ndcg@10`?"));
    }
}
