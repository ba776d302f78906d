//! The terminal: what it can show, and how a copy leaves it.

use std::io::IsTerminal;
use std::process::{Command, Stdio};

use super::Finding;
use crate::cli::output::terminal_size;

const TOPIC: &str = "terminal";

pub(super) fn findings() -> Vec<Finding> {
    let mut findings = vec![term(), size(), colours(), locale(), clipboard()];
    findings.extend(ssh());
    findings
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn term() -> Finding {
    let term = variable("TERM");
    match term.as_str() {
        "" | "dumb" => Finding::note(
            TOPIC,
            "term",
            format!("TERM is `{term}`: no screen can be drawn"),
            "open a real terminal (or `ssh -t`); `recscope run` works without one",
        ),
        _ => Finding::ok(TOPIC, "term", term),
    }
}

fn size() -> Finding {
    if !std::io::stdout().is_terminal() {
        return Finding::ok(TOPIC, "size", "stdout is no terminal");
    }
    match terminal_size(1) {
        Some((columns, rows)) if columns < 80 || rows < 24 => Finding::note(
            TOPIC,
            "size",
            format!("{columns}x{rows}"),
            "enlarge it: 80x24 is the least, 120x40 shows all panes",
        ),
        Some((columns, rows)) => Finding::ok(TOPIC, "size", format!("{columns}x{rows}")),
        None => Finding::note(TOPIC, "size", "not known", "`stty cols 120 rows 40` sets it by hand"),
    }
}

fn colours() -> Finding {
    let colorterm = variable("COLORTERM");
    let full = ["truecolor", "24bit"].contains(&colorterm.as_str());
    if !variable("NO_COLOR").is_empty() {
        return Finding::ok(TOPIC, "colours", "none, as NO_COLOR asks; signs stand in for them");
    }
    match (full, variable("TERM").contains("256color")) {
        (true, _) => Finding::ok(TOPIC, "colours", "24 bit"),
        (_, true) => Finding::ok(TOPIC, "colours", "256 (24 bit where COLORTERM=truecolor is set)"),
        _ => Finding::note(
            TOPIC,
            "colours",
            "16",
            "set TERM=xterm-256color, and COLORTERM=truecolor if the terminal can; signs stand in for shades",
        ),
    }
}

fn locale() -> Finding {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(variable).find(|value| !value.is_empty());
    let name = set.unwrap_or_default();
    let plain = name.to_lowercase().replace('-', "");
    if plain.contains("utf8") {
        return Finding::ok(TOPIC, "locale", name);
    }
    let shown = if name.is_empty() { "not set".to_string() } else { format!("`{name}` is not UTF-8") };
    Finding::note(
        TOPIC,
        "locale",
        shown,
        "export LANG=C.UTF-8 (Chinese text and lines may be garbled otherwise)",
    )
}

fn clipboard() -> Finding {
    if variable("TMUX").is_empty() {
        return Finding::ok(TOPIC, "clipboard", "OSC 52, if the terminal allows it; else a file");
    }
    let asked = Command::new("tmux")
        .args(["show-options", "-gv", "set-clipboard"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let setting = asked.ok().filter(|output| output.status.success());
    let setting = setting.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string());
    match setting.as_deref() {
        Some("on" | "external") => Finding::ok(
            TOPIC,
            "clipboard",
            format!("tmux load-buffer -w (set-clipboard {})", setting.unwrap_or_default()),
        ),
        Some(other) => Finding::note(
            TOPIC,
            "clipboard",
            format!("tmux has set-clipboard {other}: copies stay in tmux's buffer"),
            "tmux set -g set-clipboard on",
        ),
        None => Finding::note(TOPIC, "clipboard", "tmux does not answer", "copies go to a file"),
    }
}

fn ssh() -> Option<Finding> {
    let over = !variable("SSH_CONNECTION").is_empty();
    let kept = !variable("TMUX").is_empty() || !variable("STY").is_empty();
    (over && !kept).then(|| {
        Finding::ok(TOPIC, "ssh", "a dropped line loses nothing: edits are kept beside the notebook, finished results in its folder")
    })
}
