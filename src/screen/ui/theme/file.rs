//! Theme files: TOML text to one style per role, with inheritance among the built-in themes.

use std::collections::HashMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::Role;

/// Attributes only; also what every theme falls back on without colour.
pub const MONO: &str = include_str!("../../../../themes/mono.toml");

pub const BUILTIN: &[&str] = &["dark", "light", "high_contrast", "mono"];

pub fn builtin_text(name: &str) -> Option<&'static str> {
    match name {
        "dark" => Some(include_str!("../../../../themes/dark.toml")),
        "light" => Some(include_str!("../../../../themes/light.toml")),
        "high_contrast" => Some(include_str!("../../../../themes/high_contrast.toml")),
        "mono" => Some(MONO),
        _ => None,
    }
}

/// What is wrong with a theme, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("theme: {0}")]
pub struct ThemeError(String);

impl ThemeError {
    pub fn unknown(name: &str) -> ThemeError {
        ThemeError(format!("there is no theme `{name}`; known themes: {}", BUILTIN.join(", ")))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    inherits: Option<String>,
    #[serde(default)]
    palette: HashMap<String, String>,
    #[serde(default)]
    roles: toml::Table,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Entry {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
    strike: bool,
}

/// Name and styles, in the order of [`Role::ALL`].
pub fn resolve(text: &str) -> Result<(String, Vec<Style>), ThemeError> {
    let mut chain = vec![read(text)?];
    while let Some(parent) = chain.last().and_then(|file| file.inherits.clone()) {
        if chain.len() > BUILTIN.len() {
            return Err(ThemeError(format!("`inherits = \"{parent}\"` runs in a circle")));
        }
        chain.push(read(builtin_text(&parent).ok_or_else(|| ThemeError::unknown(&parent))?)?);
    }
    let name = chain.first().and_then(|f| f.name.clone()).unwrap_or_else(|| "unnamed".into());
    let mut palette = HashMap::new();
    let mut styles: Vec<Option<Style>> = vec![None; Role::ALL.len()];
    for file in chain.iter().rev() {
        palette.extend(file.palette.clone());
    }
    for file in chain.iter().rev() {
        for (key, value) in &file.roles {
            let role = Role::from_name(key).ok_or_else(|| unknown_role(key))?;
            let entry: Entry =
                value.clone().try_into().map_err(|e| ThemeError(format!("role `{key}`: {e}")))?;
            if let Some(slot) = styles.get_mut(role as usize) {
                *slot = Some(style(key, &entry, &palette)?);
            }
        }
    }
    let missing: Vec<_> =
        Role::ALL.iter().zip(&styles).filter(|(_, s)| s.is_none()).map(|(r, _)| r.name()).collect();
    if !missing.is_empty() {
        return Err(ThemeError(format!(
            "`{name}` has no style for: {} (add `inherits = \"dark\"`)",
            missing.join(", ")
        )));
    }
    Ok((name, styles.into_iter().flatten().collect()))
}

fn read(text: &str) -> Result<File, ThemeError> {
    toml::from_str(text).map_err(|e| ThemeError(e.to_string()))
}

fn unknown_role(key: &str) -> ThemeError {
    let near = Role::ALL.iter().map(|r| r.name()).max_by_key(|name| common(name, key)).unwrap_or("text");
    ThemeError(format!("there is no role `{key}`; did you mean `{near}`?"))
}

/// Shared prefix and suffix: enough to find the role behind a slip of the finger.
fn common(a: &str, b: &str) -> usize {
    let prefix = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let suffix = a.bytes().rev().zip(b.bytes().rev()).take_while(|(x, y)| x == y).count();
    prefix + suffix
}

fn style(key: &str, entry: &Entry, palette: &HashMap<String, String>) -> Result<Style, ThemeError> {
    let mut style = Style::new();
    if let Some(fg) = &entry.fg {
        style = style.fg(color(key, fg, palette)?);
    }
    if let Some(bg) = &entry.bg {
        style = style.bg(color(key, bg, palette)?);
    }
    for (on, modifier) in [
        (entry.bold, Modifier::BOLD),
        (entry.dim, Modifier::DIM),
        (entry.italic, Modifier::ITALIC),
        (entry.underline, Modifier::UNDERLINED),
        (entry.reverse, Modifier::REVERSED),
        (entry.strike, Modifier::CROSSED_OUT),
    ] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    Ok(style)
}

fn color(key: &str, value: &str, palette: &HashMap<String, String>) -> Result<Color, ThemeError> {
    let literal = palette.get(value).map_or(value, String::as_str);
    literal.parse().map_err(|_| {
        ThemeError(format!(
            "role `{key}`: `{value}` is no colour; write \"#rrggbb\", a name such as \"light-blue\", or a palette entry"
        ))
    })
}
