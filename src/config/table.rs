//! CONFIG: every setting with its doc. Drives `recscope docs config` and the errors.

/// One setting.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    /// In words.
    pub takes: &'static str,
    pub default: &'static str,
    /// A value as written in TOML.
    pub example: &'static str,
    pub doc: &'static str,
}

/// All settings, in the order of the documentation.
pub const CONFIG: &[Setting] = &[
    Setting {
        name: "theme",
        takes: "a theme's name",
        default: "dark",
        example: "\"light\"",
        doc: "colours of the screen",
    },
    Setting {
        name: "models",
        takes: "a list of folders",
        default: "models/ beside the notebook and in the working directory",
        example: "[\"/data/models\"]",
        doc: "further folders to look for models in",
    },
    Setting {
        name: "auto_run",
        takes: "true or false",
        default: "true",
        example: "false",
        doc: "cheap cells (sql, metrics, fairness, check) run again when something above them changes",
    },
    Setting {
        name: "engine.memory",
        takes: "a size from 32 MB on",
        default: "a third of the machine's memory",
        example: "\"4GB\"",
        doc: "DuckDB's memory limit; above it results spill to disk",
    },
    Setting {
        name: "engine.threads",
        takes: "a whole number from 1 to 1024",
        default: "all cores but one",
        example: "4",
        doc: "threads of queries and statistics",
    },
    Setting {
        name: "engine.device",
        takes: "auto, cpu, cuda:N, cuda:0,1 or cuda:all",
        default: "auto",
        example: "\"cpu\"",
        doc: "where models run when a cell names no device",
    },
    Setting {
        name: "engine.cache",
        takes: "true or false",
        default: "true",
        example: "false",
        doc: "serve unchanged cells from the folder beside the notebook, and known scores from the score cache",
    },
    Setting {
        name: "engine.score_cache",
        takes: "a folder, or false for none",
        default: "recscope/scores in the system's folder for caches",
        example: "\"/data/scores\"",
        doc: "where scores are kept, so that no input is computed twice; RECSCOPE_SCORE_CACHE (a folder, or off) goes before it",
    },
    Setting {
        name: "engine.score_cache_limit",
        takes: "a size from 32 MB on",
        default: "2GB",
        example: "\"8GB\"",
        doc: "most that the score cache takes; the longest unused scores go first",
    },
];

/// Markdown for `recscope docs config`.
pub fn docs() -> String {
    let mut text = String::from(
        "# Settings\n\n`config.toml` in the system's folder for settings (`~/.config/recscope/` on Linux), or the \
         file that `RECSCOPE_CONFIG` names. `recscope doctor` says which one is read.\n\n\
         | setting | takes | default | example | |\n|---|---|---|---|---|\n",
    );
    for s in CONFIG {
        text.push_str(&format!(
            "| `{}` | {} | {} | `{}` | {} |\n",
            s.name, s.takes, s.default, s.example, s.doc
        ));
    }
    text.push_str("\n`engine.x` stands as `x` under `[engine]`.\n");
    text
}
