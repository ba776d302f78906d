//! `recscope docs`: reference pages, each printed from the table that drives the program.

use std::fmt::Write;

use clap::CommandFactory;

use super::args::{Cli, DocsPage};
use super::{Failure, print};
use crate::analysis::fairness::FIGURES;
use crate::analysis::metrics::trec::{Ours, TREC_EVAL};
use crate::analysis::metrics::{CONVENTIONS, EXPECTED, METRICS};
use crate::notebook::help;
use crate::pipe::PipeArgs;
use crate::screen::app::commands::COMMANDS;
use crate::util::figures;

/// Prints a page as Markdown.
pub(super) fn docs(page: DocsPage) -> Result<u8, Failure> {
    print(&match page {
        DocsPage::Keys => keys(),
        DocsPage::Cells => help::cells_help(),
        DocsPage::Metrics => metrics(),
        DocsPage::Cli => cli(),
        DocsPage::Config => crate::config::docs(),
    })
}

fn keys() -> String {
    let mut text = String::from("# Keys\n\n| keys | command | id | |\n|---|---|---|---|\n");
    for command in COMMANDS {
        let keys: Vec<String> =
            command.keys.iter().map(|key| format!("`{}`", key.replace('|', "\\|"))).collect();
        let _ =
            writeln!(text, "| {} | {} | `{}` | {} |", keys.join(" "), command.name, command.id, command.doc);
    }
    text
}

fn metrics() -> String {
    let mut text = String::from(
        "# Metrics\n\ng gain, r rank from 1, k cut-off (the list's length without one), R relevant items of the list.\n",
    );
    for metric in METRICS {
        let (low, high) = metric.range;
        let end = |value: f64| match value {
            f64::INFINITY => "∞".into(),
            f64::NEG_INFINITY => "-∞".into(),
            value => figures::number(value),
        };
        let better = if metric.higher_is_better { "higher" } else { "lower" };
        let _ = write!(
            text,
            "\n## {}\n\n{}\n\n- formula: {}\n- range: {} to {}, {better} is better\n- n/a: {}\n- source: {}\n",
            metric.spelling(),
            metric.doc,
            metric.formula,
            end(low),
            end(high),
            metric.na,
            metric.source,
        );
        let value = figures::number(metric.example.value);
        let _ = write!(
            text,
            "- example: `{}` = {value} of\n\n```text{}\n```\n",
            metric.example.ask, metric.example.rows
        );
    }
    text.push_str(&of_trec_eval());
    text.push_str("\n## Figures of a fairness cell\n\nNames for its checks, beside the metric's id.\n\n");
    for (name, doc) in FIGURES {
        let _ = writeln!(text, "- `{name}`: {doc}");
    }
    text + &conventions()
}

/// The TREC_EVAL table: its names for ours, and what of it is left out.
fn of_trec_eval() -> String {
    let mut text = String::from(
        "\n## trec_eval's names\n\nTaken beside the ids above (`P_10` or `P.10`); `recscope eval --convention trec --format trec` prints them as asked for.\n\n",
    );
    for measure in TREC_EVAL {
        let what = match measure.ours {
            Ours::Whole(id) => format!("`{id}`"),
            Ours::Cut(id) => format!("with a cut-off: `{id}@K`"),
            Ours::None(why) => format!("left out: {why}"),
        };
        let _ = writeln!(text, "- `{}`: {what}", measure.name);
    }
    text
}

/// The CONVENTIONS table: what each preset does, rule by rule, and what holds under all of them.
fn conventions() -> String {
    let mut text = String::from(
        "\n# Conventions\n\nOn these rules metric libraries differ in silence. `recscope eval --convention ID`, or `convention = \"ID\"` in a metrics cell; `all` shows every one and names the queries on which they differ.\n",
    );
    for convention in CONVENTIONS {
        let _ = write!(text, "\n## {}\n\n{}\n\n", convention.id, convention.doc);
        for (rule, words) in convention.rules() {
            let _ = writeln!(text, "- {rule}: {words}");
        }
        let _ = writeln!(text, "- source: {}", convention.source);
    }
    text + &BAD_INPUT.replace("NAMES", &EXPECTED.join(", "))
}

const BAD_INPUT: &str = "
# What happens to bad input

- the same item twice in a list: as the convention says; counted and told
- grades as text: an error that names the text, except E, S, C, I (or their words) under `esci-paper` and `esci-script`
- a gain below 0: 0 in sums of gains, not relevant, and not judged, as in trec_eval (`judged`, `bpref`, `rbp.residual`; `infap` counts it as pooled)
- huge grades: linear sums take them; where 2^g overflows (above 1023) the list is n/a
- a grade that is NaN or infinite: not judged
- a score that is NaN: none, so the row is not retrieved; counted and told. Infinities rank as numbers
- a row without a score or position: not retrieved
- a row without a query: left out, counted and told
- a run that answers no judged query: told; ranks of nothing give 0, what divides by what is shown is n/a
- equal scores: as the convention says; the share of tied rows is told. `ties = \"expected\"` (`--ties expected`) gives the mean over every order of tied items, in closed form, for NAMES; other metrics order ties by item id and say so
- an empty relation: n/a with n = 0
- items without a judgment: as the convention says; `bounds = true` (`--bounds`) gives the worst and the best value that they allow: exact for precision, recall, f1, hit, hits, mrr, err, rbp and dcg, never too narrow for ndcg and map, none for other metrics
";

fn cli() -> String {
    let mut text = String::from("# Command line\n");
    let mut command = Cli::command();
    command.build();
    page(&mut text, &mut command, "recscope");
    page(&mut text, &mut PipeArgs::command(), "recscope-score");
    text
}

fn page(text: &mut String, command: &mut clap::Command, path: &str) {
    let _ =
        write!(text, "\n## {path}\n\n```text\n{}\n```\n", command.render_long_help().to_string().trim_end());
    for sub in command.get_subcommands_mut().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        let path = format!("{path} {}", sub.get_name());
        page(text, sub, &path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_names_what_there_is() {
        for metric in METRICS {
            assert!(metrics().contains(metric.id) && metrics().contains(metric.example.ask));
        }
        for convention in CONVENTIONS {
            assert!(metrics().contains(convention.source));
        }
        for command in COMMANDS {
            assert!(keys().contains(command.id));
        }
        let cli = cli();
        for word in [
            "recscope run",
            "recscope eval",
            "recscope models list",
            "--per-query",
            "--convention",
            "--skip-bad",
        ] {
            assert!(cli.contains(word), "{word}");
        }
        assert!(!cli.contains("recscope engine"));
    }
}
