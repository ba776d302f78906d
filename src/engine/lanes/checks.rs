//! Evaluating `check` lines: which figure decided, its value and threshold, and the rows behind it.
//! What is n/a counts as failed, with a reason.

use super::figures::{Figure, Figures, OF_SUPPLIERS};
use crate::notebook::check::{Check, Part, Term, Verdict};
use crate::notebook::diagnostics::nearest;
use crate::protocol::CheckOutcome;
use crate::terms::quote_ident;

/// Where the figures of other cells are found.
pub(super) trait Known {
    fn figures(&self, cell: &str) -> Option<&Figures>;
}

/// Evaluates every line; `own` are the figures of the cell that holds them.
pub(super) fn evaluate(lines: &[String], own: &Figures, others: &dyn Known) -> Vec<CheckOutcome> {
    lines.iter().map(|line| one(line, own, others)).collect()
}

fn one(text: &str, own: &Figures, others: &dyn Known) -> CheckOutcome {
    let nothing = |reason: String| CheckOutcome {
        text: text.to_owned(),
        ok: None,
        value: None,
        threshold: None,
        rows_sql: None,
        reason: Some(reason),
    };
    let check = match Check::parse(text) {
        Ok(check) => check,
        Err(error) => return nothing(format!("column {}: {error}", error.column)),
    };
    let place = |term: &Term| match &term.cell {
        Some(cell) => others.figures(cell),
        None => Some(own),
    };
    let verdict = check.eval(&|term| place(term)?.number(term));
    let Verdict { ok, term, value, threshold } = verdict;
    let reason = match ok {
        Some(true) => None,
        Some(false) => all_figures(&check, place),
        None => check.terms().into_iter().find_map(|term| why_not(term, place(term))),
    };
    let rows_sql = term.as_ref().and_then(|term| behind(term, place(term)?));
    CheckOutcome { text: text.to_owned(), ok, value, threshold, rows_sql, reason }
}

/// Where several figures are in a failed line, all of them: the one that decided is not the whole story.
fn all_figures<'f>(check: &Check, place: impl Fn(&Term) -> Option<&'f Figures>) -> Option<String> {
    let terms = check.terms();
    let said = terms.iter().map(|term| match place(term).and_then(|figures| figures.number(term)) {
        Some(number) => format!("{term} = {}", crate::util::figures::number(number)),
        None => format!("{term} is n/a"),
    });
    (terms.len() > 1).then(|| said.collect::<Vec<_>>().join(", "))
}

fn behind(term: &Term, figures: &Figures) -> Option<String> {
    match (term.part, &term.cell) {
        (Part::Rows, Some(cell)) => Some(format!("SELECT * FROM {}", quote_ident(cell))),
        _ => figures.get(&term.figure)?.rows_sql.clone(),
    }
}

/// Why a term has no number; `None` where it has one.
fn why_not(term: &Term, figures: Option<&Figures>) -> Option<String> {
    let Some(figures) = figures else {
        let cell = term.cell.as_deref().unwrap_or("the cell");
        return Some(format!("{cell} has no result: run it first"));
    };
    if figures.number(term).is_some_and(|number| !number.is_nan()) {
        return None;
    }
    if let (Part::LowerAt(_) | Part::UpperAt(_), Some(figure)) = (term.part, figures.get(&term.figure)) {
        return Some(no_interval(term, figure));
    }
    let bound = matches!(term.part, Part::Worst | Part::Best);
    if bound && figures.get(&term.figure).is_some_and(|figure| figure.value.is_some()) {
        return Some(format!(
            "{term} is n/a: bounds are made where the metrics cell says `bounds = true`, of metrics that have them"
        ));
    }
    if term.part == Part::Rows || figures.get(&term.figure).is_some() {
        return Some(format!("{term} is n/a"));
    }
    if term.figure.starts_with(OF_SUPPLIERS) {
        return Some(format!("{term} is n/a: made where a fairness cell says `suppliers = [...]`"));
    }
    let near = nearest(&term.figure, figures.names()).map(|name| format!("; did you mean {name}?"));
    let list = || {
        let names: Vec<&str> = figures.names().collect();
        if names.is_empty() { String::new() } else { format!("; there are: {}", names.join(", ")) }
    };
    Some(format!("{term}: there is no such figure{}", near.unwrap_or_else(list)))
}

/// Why there is no interval at a level.
fn no_interval(term: &Term, figure: &Figure) -> String {
    if figure.value.is_none() {
        return format!("{term} is n/a");
    }
    if figure.bounds.is_empty() && figure.lower.is_none() {
        return format!("{term} is n/a: there is no interval (too few queries, or resamples = 0)");
    }
    let kept: Vec<String> = figure.bounds.iter().map(|(level, ..)| level.to_string()).collect();
    let kept = if kept.is_empty() { "0.95".to_owned() } else { kept.join(", ") };
    format!("{term} is n/a: intervals are kept at {kept}; others where the compare cell's own check asks")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::compare::{CompareLine, CompareTable};
    use crate::analysis::fairness::{FairnessTable, Side, SideFigure};
    use crate::analysis::metrics::{MetricLine, MetricsTable};
    use crate::notebook::spec::Input;

    struct One(Figures);

    impl Known for One {
        fn figures(&self, cell: &str) -> Option<&Figures> {
            (cell == "quality").then_some(&self.0)
        }
    }

    fn quality() -> Figures {
        let line = |metric: &str, value| MetricLine {
            metric: metric.into(),
            value,
            n: 7,
            predicate: "TRUE".into(),
            higher_is_better: true,
            ..MetricLine::default()
        };
        let bounded = MetricLine { worst: Some(0.2), best: Some(0.6), ..line("precision@5", Some(0.4)) };
        let lines = vec![line("ndcg@10", Some(0.31)), line("mrr", None), bounded];
        let input = Input { from: "rel".into(), filter: Some("x > 1".into()) };
        Figures::of_metrics(&MetricsTable { lines, ..MetricsTable::default() }, &input)
    }

    fn eval(text: &str) -> CheckOutcome {
        evaluate(&[text.to_owned()], &quality(), &One(quality())).remove(0)
    }

    #[test]
    fn a_failed_check_names_figure_threshold_and_rows() {
        let found = eval("ndcg@10 >= 0.35");
        assert_eq!((found.ok, found.value, found.threshold), (Some(false), Some(0.31), Some(0.35)));
        assert_eq!(found.rows_sql.as_deref(), Some("SELECT * FROM \"rel\" WHERE x > 1"));
        assert_eq!(eval("quality.ndcg@10 < 0.35").ok, Some(true));
        assert_eq!(eval("n(ndcg@10) == 7").ok, Some(true));
        let both = eval("ndcg@10 >= 0.35 or n(ndcg@10) > 9");
        assert_eq!(both.reason.as_deref(), Some("ndcg@10 = 0.31, n(ndcg@10) = 7"));
    }

    #[test]
    fn figures_of_suppliers_say_what_they_need() {
        let users = FairnessTable { sides: vec![(Side::Users, SideFigure::default())], ..Default::default() };
        let both = FairnessTable {
            sides: vec![(Side::Users, SideFigure::default()), (Side::Suppliers, SideFigure::default())],
            ..Default::default()
        };
        let input = Input { from: "rel".into(), filter: None };
        let reason = |table: &FairnessTable| {
            let figures = Figures::of_fairness(table, &input);
            evaluate(&["supplier_worst > 0".to_owned()], &figures, &One(quality())).remove(0).reason.unwrap()
        };
        assert!(reason(&users).contains("`suppliers = [...]`"), "{}", reason(&users));
        assert_eq!(reason(&both), "supplier_worst is n/a");
    }

    #[test]
    fn bounds_of_unjudged_items_can_be_asked_for() {
        assert_eq!(eval("worst(precision@5) >= 0.2 and best(precision@5) < 0.7").ok, Some(true));
        let found = eval("worst(precision@5) >= 0.3");
        assert_eq!((found.ok, found.value), (Some(false), Some(0.2)));
        let reason = eval("worst(ndcg@10) >= 0.3").reason.unwrap();
        assert!(reason.contains("`bounds = true`"), "{reason}");
        assert_eq!(eval("best(mrr) >= 0.3").reason.as_deref(), Some("best(mrr) is n/a"));
    }

    fn comparison() -> Figures {
        let line = |run: &str, metric: &str, delta: f64| CompareLine {
            run: run.into(),
            metric: metric.into(),
            delta: Some(delta),
            lower: Some(delta - 0.02),
            upper: Some(delta + 0.03),
            bounds: vec![(0.9, delta - 0.015, delta + 0.025), (0.95, delta - 0.02, delta + 0.03)],
            n: 50,
            higher_is_better: true,
            predicate: "TRUE".into(),
            ..CompareLine::default()
        };
        let table = CompareTable {
            runs: ["old", "New", "third"].map(String::from).to_vec(),
            metrics: ["ndcg@10", "mrr"].map(String::from).to_vec(),
            lines: vec![
                line("New", "ndcg@10", 0.03),
                line("New", "mrr", -0.1),
                line("third", "ndcg@10", -0.2),
            ],
            ..CompareTable::default()
        };
        let from = |_: &str| Input { from: "rel".into(), filter: None };
        Figures::of_comparison(&table, 3, &from)
    }

    #[test]
    fn differences_are_found_both_ways_round_and_at_their_levels() {
        let figures = comparison();
        let eval = |text: &str| evaluate(&[text.to_owned()], &figures, &One(quality())).remove(0);
        let found = eval("delta(new, old) > 0 at 0.95");
        assert_eq!((found.ok, found.threshold), (Some(true), Some(0.0)));
        assert!((found.value.unwrap() - 0.01).abs() < 1e-12);
        assert_eq!(found.rows_sql.as_deref(), Some("SELECT * FROM \"rel\""));
        assert_eq!(eval("delta(old, new) < 0 at 0.9").ok, Some(true));
        assert_eq!(eval("delta(old, new) <= -0.03").ok, Some(true));
        assert_eq!(eval("delta(new, old, MRR) >= -0.01").ok, Some(false));
        assert_eq!(eval("n(delta(new, old)) == 50 and max_loss <= 0.2 and delta == -0.2").ok, Some(true));
        let other = eval("delta(new, old) > 0 at 0.97");
        assert!(other.ok.is_none() && other.reason.unwrap().contains("kept at 0.9, 0.95"));
        let wrong = eval("delta(nwe, old) > 0");
        assert!(wrong.reason.as_ref().unwrap().contains("did you mean delta(new, old)"), "{wrong:?}");
        assert_eq!(
            eval("quality.ndcg@10 > 0 at 0.95").reason.unwrap().split(':').next(),
            Some("lower(quality.ndcg@10) at 0.95 is n/a")
        );
    }

    #[test]
    fn what_is_not_available_fails_with_a_reason() {
        let na = eval("mrr >= 0.1");
        assert_eq!(na.ok, None);
        assert_eq!(na.reason.as_deref(), Some("mrr is n/a"));
        assert!(eval("ndcg@1 >= 0").reason.unwrap().contains("did you mean ndcg@10"));
        assert!(eval("other.mrr > 0").reason.unwrap().contains("run it first"));
        assert!(eval("mrr >=").reason.unwrap().contains("column"));
    }
}
