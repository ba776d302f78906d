//! Settings: what may stand in `config.toml`, its defaults, and clear errors. Reading the file is
//! the caller's; nothing here prints.

use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

mod table;

pub use table::{CONFIG, Setting, docs};

/// Everything that can be set, defaults filled in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// A built-in theme's name.
    pub theme: Option<String>,
    /// Folders to look for models in, beside those near the notebook.
    pub models: Vec<PathBuf>,
    /// DuckDB's memory limit in bytes; `None`: a share of what there is.
    pub memory_bytes: Option<u64>,
    pub threads: Option<usize>,
    /// `auto`, `cpu`, `cuda:N`, `cuda:0,1`, `cuda:all`.
    pub device: Option<String>,
    /// Cheap cells run again by themselves when something above them changes.
    pub auto_run: Option<bool>,
    /// Serve unchanged cells from the sidecar, and known scores from the score cache.
    pub cache: Option<bool>,
    pub score_cache: Option<ScoreFolder>,
    /// The score cache's limit in bytes.
    pub score_cache_bytes: Option<u64>,
}

/// Where scores are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScoreFolder {
    Off,
    At(PathBuf),
}

/// A line of the file that was not taken; everything else was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// Counted from 1.
    pub line: u32,
    pub message: String,
}

impl std::fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl Config {
    /// Reads `config.toml`. Never fails: what cannot be taken is a fault, the rest counts.
    pub fn parse(text: &str) -> (Config, Vec<ConfigFault>) {
        let mut reader = Reader { text, config: Config::default(), faults: Vec::new() };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let message = error.message().lines().next().unwrap_or_default().to_string();
            reader.fault(error.span().map_or(0, |span| span.start), format!("not valid TOML: {message}"));
        }
        reader.table("", table.get_ref());
        (reader.config, reader.faults)
    }
}

/// Where the file is looked for: `RECSCOPE_CONFIG`, else the system's folder for settings.
pub fn path(variable: Option<PathBuf>) -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    variable.or_else(|| {
        etcetera::choose_base_strategy().ok().map(|base| base.config_dir().join("recscope/config.toml"))
    })
}

/// The folder of the score cache: `variable` (the value of `RECSCOPE_SCORE_CACHE`), else the setting,
/// else the system's folder for caches. `None`: scores are not kept.
pub fn score_folder(variable: Option<&std::ffi::OsStr>, config: &Config) -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    match variable.filter(|value| !value.is_empty()) {
        Some(value) if crate::util::says_off(value) => return None,
        Some(value) => return Some(PathBuf::from(value)),
        None => {}
    }
    match &config.score_cache {
        Some(ScoreFolder::Off) => None,
        Some(ScoreFolder::At(folder)) => Some(folder.clone()),
        None => etcetera::choose_base_strategy().ok().map(|base| base.cache_dir().join("recscope/scores")),
    }
}

struct Reader<'a> {
    text: &'a str,
    config: Config,
    faults: Vec<ConfigFault>,
}

impl Reader<'_> {
    fn fault(&mut self, offset: usize, message: String) {
        let before = self.text.get(..offset).unwrap_or_default();
        let line = before.bytes().filter(|b| *b == b'\n').count() as u32 + 1;
        self.faults.push(ConfigFault { line, message });
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) if prefix.is_empty() && name == "engine" => {
                    self.table("engine.", inner)
                }
                value_here => {
                    if let Err(message) = self.set(&name, value_here) {
                        self.fault(value.span().start, message);
                    }
                }
            }
        }
    }

    fn set(&mut self, name: &str, value: &DeValue<'_>) -> Result<(), String> {
        let Some(setting) = CONFIG.iter().find(|setting| setting.name == name) else {
            let known: Vec<&str> = CONFIG.iter().map(|setting| setting.name).collect();
            return Err(format!("there is no setting `{name}`; there are: {}", known.join(", ")));
        };
        let wrong = || format!("`{name}` takes {}, e.g. {}", setting.takes, setting.example);
        let text = || value.as_str().map(String::from).ok_or_else(wrong);
        let config = &mut self.config;
        match name {
            "theme" => config.theme = Some(text()?),
            "models" => {
                config.models = texts(value).ok_or_else(wrong)?.into_iter().map(PathBuf::from).collect()
            }
            "auto_run" => config.auto_run = Some(value.as_bool().ok_or_else(wrong)?),
            "engine.cache" => config.cache = Some(value.as_bool().ok_or_else(wrong)?),
            "engine.score_cache" => {
                config.score_cache = Some(match (value.as_bool(), text().ok()) {
                    (Some(false), _) => ScoreFolder::Off,
                    (None, Some(folder)) if !folder.trim().is_empty() => ScoreFolder::At(folder.into()),
                    _ => return Err(wrong()),
                })
            }
            "engine.score_cache_limit" => {
                config.score_cache_bytes = Some(text().ok().and_then(|t| bytes(&t)).ok_or_else(wrong)?)
            }
            "engine.device" => config.device = Some(text()?),
            "engine.memory" => {
                config.memory_bytes = Some(text().ok().and_then(|t| bytes(&t)).ok_or_else(wrong)?)
            }
            "engine.threads" => {
                let number = value.as_integer().and_then(|n| n.as_str().parse::<usize>().ok());
                config.threads = Some(number.filter(|n| (1..=1024).contains(n)).ok_or_else(wrong)?);
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    match value {
        DeValue::String(text) => Some(vec![text.to_string()]),
        DeValue::Array(list) => list.iter().map(|v| v.get_ref().as_str().map(String::from)).collect(),
        _ => None,
    }
}

/// `512MB`, `4 GB`, `1.5GiB`: at least 32 MB. Units count by 1024.
pub fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.to_uppercase().as_str() {
        "K" | "KB" | "KIB" => 1u64 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        "T" | "TB" | "TIB" => 1 << 40,
        _ => return None,
    };
    let bytes = number.trim().parse::<f64>().ok()? * factor as f64;
    (bytes.is_finite() && bytes >= (32 << 20) as f64 && bytes < 1e18).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_read_from_its_own_example() {
        for setting in CONFIG {
            let line = match setting.name.split_once('.') {
                Some(("engine", key)) => format!("[engine]\n{key} = {}\n", setting.example),
                _ => format!("{} = {}\n", setting.name, setting.example),
            };
            let (config, faults) = Config::parse(&line);
            assert_eq!(faults, [], "{line}");
            assert_ne!(config, Config::default(), "{line}");
        }
    }

    #[test]
    fn faults_name_their_line_and_the_rest_counts() {
        let (config, faults) =
            Config::parse("theme = \"light\"\nthem = 1\n[engine]\nthreads = 0\nmemory = \"9\"\n");
        assert_eq!(config.theme.as_deref(), Some("light"));
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(said[0].starts_with("line 2: there is no setting `them`"), "{said:?}");
        assert!(said[1].starts_with("line 4: `engine.threads` takes"), "{said:?}");
        assert_eq!(said.len(), 3);
        assert!(!Config::parse("a = [").1.is_empty());
    }

    #[test]
    fn the_score_cache_is_where_it_is_wanted() {
        let read = |line: &str| Config::parse(&format!("[engine]\n{line}\n")).0;
        let none = Config::default();
        let folder = |variable: Option<&str>, config: &Config| {
            score_folder(variable.map(std::ffi::OsStr::new), config)
        };
        assert!(folder(None, &none).unwrap().ends_with("recscope/scores"));
        let at = read("score_cache = \"/data/分\"");
        assert_eq!(folder(None, &at).unwrap(), PathBuf::from("/data/分"));
        assert_eq!(folder(Some(""), &at).unwrap(), PathBuf::from("/data/分"));
        assert_eq!(folder(Some("/tmp/x"), &at).unwrap(), PathBuf::from("/tmp/x"));
        assert_eq!([folder(Some("Off"), &at), folder(None, &read("score_cache = false"))], [None, None]);
        assert_eq!(Config::parse("[engine]\nscore_cache = true\n").1.len(), 1);
        assert_eq!(read("score_cache_limit = \"64MB\"").score_cache_bytes, Some(64 << 20));
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(bytes("512MB"), Some(512 << 20));
        assert_eq!(bytes("1.5 GiB"), Some(3 << 29));
        assert_eq!([bytes("1 B"), bytes("-1GB"), bytes("infGB"), bytes("")], [None; 4]);
    }
}
