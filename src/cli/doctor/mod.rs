//! `recscope doctor`: what this machine has, and each problem with its remedy. Looks only; changes
//! nothing, and asks no network.

mod leftovers;
mod machine;
mod program;
mod safety;
mod terminal;

use serde_json::json;

use super::args::{DoctorArgs, ShortFormat};
use super::output::json_page;
use super::{Failure, print};
use crate::util::sanitise;

/// How a finding is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ok,
    /// Works, but something is missing or slower than it could be.
    Note,
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq)]
struct Finding {
    topic: &'static str,
    name: &'static str,
    status: Status,
    detail: String,
    remedy: Option<String>,
}

impl Finding {
    fn ok(topic: &'static str, name: &'static str, detail: impl Into<String>) -> Self {
        Self { topic, name, status: Status::Ok, detail: detail.into(), remedy: None }
    }

    fn note(
        topic: &'static str,
        name: &'static str,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { status: Status::Note, remedy: Some(remedy.into()), ..Self::ok(topic, name, detail) }
    }

    fn problem(
        topic: &'static str,
        name: &'static str,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { status: Status::Problem, remedy: Some(remedy.into()), ..Self::ok(topic, name, detail) }
    }
}

/// Looks at everything and prints it; exit 3 when there is a problem.
pub(super) fn doctor(args: &DoctorArgs) -> Result<u8, Failure> {
    let left_over = leftovers::findings();
    let mut findings = program::findings();
    findings.extend(machine::findings());
    findings.extend(terminal::findings());
    findings.extend(safety::findings());
    findings.extend(left_over);
    let healthy = findings.iter().all(|finding| finding.status != Status::Problem);
    print(&match args.format {
        ShortFormat::Text => text(&findings),
        ShortFormat::Json => json_text(&findings),
    })?;
    Ok(if healthy { 0 } else { 3 })
}

fn text(findings: &[Finding]) -> String {
    let mut out = String::new();
    let mut topic = "";
    for finding in findings {
        if finding.topic != topic {
            let gap = if topic.is_empty() { "" } else { "\n" };
            out.push_str(&format!("{gap}{}\n", finding.topic));
            topic = finding.topic;
        }
        let mark = match finding.status {
            Status::Ok => "✓",
            Status::Note => "·",
            Status::Problem => "✗",
        };
        out.push_str(&format!("  {mark} {:<12} {}\n", finding.name, sanitise::excerpt(&finding.detail, 400)));
        if let Some(remedy) = &finding.remedy {
            out.push_str(&format!("    {:<12} → {}\n", "", sanitise::excerpt(remedy, 400)));
        }
    }
    let problems = findings.iter().filter(|finding| finding.status == Status::Problem).count() as u64;
    out.push_str(&match problems {
        0 => "\nNo problem found.\n".to_string(),
        n => format!("\n{} found.\n", crate::util::figures::plural(n, "problem", "problems")),
    });
    out
}

fn json_text(findings: &[Finding]) -> String {
    let list: Vec<_> = findings
        .iter()
        .map(|finding| {
            let status = match finding.status {
                Status::Ok => "ok",
                Status::Note => "note",
                Status::Problem => "problem",
            };
            json!({
                "topic": finding.topic,
                "name": finding.name,
                "status": status,
                "detail": finding.detail,
                "remedy": finding.remedy,
            })
        })
        .collect();
    let ok = findings.iter().all(|finding| finding.status != Status::Problem);
    json_page(&json!({ "ok": ok, "findings": list }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_its_remedy_and_all_is_said() {
        let mut findings = program::findings();
        findings.extend(machine::findings());
        findings.extend(terminal::findings());
        findings.extend(safety::findings());
        for name in [
            "recscope",
            "duckdb",
            "extensions",
            "settings",
            "models",
            "cpu",
            "memory",
            "gpu",
            "term",
            "locale",
            "state",
            "trusted",
            "bounds",
        ] {
            assert!(findings.iter().any(|finding| finding.name == name), "{name}");
        }
        assert!(findings.iter().all(|f| f.status == Status::Ok || f.remedy.is_some()));
        let value: serde_json::Value = serde_json::from_str(&json_text(&findings)).unwrap();
        assert_eq!(value["findings"].as_array().unwrap().len(), findings.len());
        let broken = Finding::problem("a", "b", "\u{1b}[31mx", "y");
        assert!(text(&[broken]).contains("✗ b            ␛[31mx\n                 → y\n\n1 problem found."));
    }
}
