//! `recscope docs`: reference pages, each printed from the table that drives the program.

use std::fmt::Write;

use clap::CommandFactory;

use super::args::{Cli, DocsPage};
use super::{Failure, print};
use crate::analysis::fairness::FIGURES;
use crate::analysis::metrics::METRICS;
use crate::notebook::help;
use crate::pipe::PipeArgs;
use crate::screen::app::commands::COMMANDS;

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
        let end =
            |value: f64| if value.is_infinite() { "∞".into() } else { crate::util::figures::number(value) };
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
    }
    text.push_str("\n## Figures of a fairness cell\n\nNames for its checks, beside the metric's id.\n\n");
    for (name, doc) in FIGURES {
        let _ = writeln!(text, "- `{name}`: {doc}");
    }
    text
}

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
            assert!(metrics().contains(metric.id));
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
