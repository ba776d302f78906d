//! `recscope cache`: what scores are kept, whether they are sound, and removing them. The files are
//! the model layer's; nothing here computes a score.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::args::{CacheCommand, ShortFormat};
use super::output::json_page;
use super::{Failure, print, settings};
use crate::engine::model::cache::{Cleared, Damage, Found, Wanted, clear, survey, verify};
use crate::engine::model::hash_folder;
use crate::util::{figures, sanitise};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Does what is asked; exit 1 where damage was found, 3 where something could not be removed.
pub(super) fn cache(command: &CacheCommand) -> Result<u8, Failure> {
    let options = settings::load().score_cache();
    let folder = options.folder.ok_or_else(|| {
        Failure::usage("the score cache is switched off")
            .hint("unset RECSCOPE_SCORE_CACHE, or name a folder as `engine.score_cache` in config.toml")
    })?;
    match command {
        CacheCommand::List { format } => list(&folder, options.limit_bytes, *format),
        CacheCommand::Verify { format } => check(&folder, *format),
        CacheCommand::Clear { model, older_than, format } => {
            let model = model.as_deref().map(which).transpose()?;
            let before = older_than.and_then(|days| SystemTime::now().checked_sub(DAY * days));
            let cleared = clear(&folder, &Wanted { model, before });
            tell_cleared(&folder, &cleared, *format)
        }
    }
}

/// A model's hash where its folder is here, else what was said.
fn which(model: &str) -> Result<String, Failure> {
    if Path::new(model).is_dir() { Ok(hash_folder(Path::new(model))?) } else { Ok(model.to_owned()) }
}

fn list(folder: &Path, limit: u64, format: ShortFormat) -> Result<u8, Failure> {
    let shelves = survey(folder);
    let bytes: u64 = shelves.iter().map(|shelf| shelf.bytes).sum();
    let entries: u64 = shelves.iter().map(|shelf| shelf.entries).sum();
    if format == ShortFormat::Json {
        return print_json(&json!({
            "folder": folder.display().to_string(),
            "bytes": bytes,
            "limit_bytes": limit,
            "entries": entries,
            "shelves": shelves.iter().map(shelf_json).collect::<Vec<_>>(),
        }));
    }
    let mut text = format!(
        "{}\n{} in {} of {}\n",
        sanitise::line(&folder.to_string_lossy()),
        figures::plural(entries, "entry", "entries"),
        figures::bytes(bytes),
        figures::bytes(limit),
    );
    for shelf in &shelves {
        text.push_str(&format!(
            "\n{}\n  computed as {}, at most {} tokens\n  {} in {}, last used {}\n  model sha256 {}\n",
            name(shelf),
            as_what(shelf),
            shelf.about.max_tokens,
            figures::plural(shelf.entries, "entry", "entries"),
            figures::bytes(shelf.bytes),
            ago(shelf.used),
            sanitise::excerpt(&shelf.about.model_hash, 64),
        ));
    }
    print(&text)
}

fn shelf_json(shelf: &Found) -> Value {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs());
    json!({
        "path": shelf.dir.display().to_string(),
        "model": shelf.about.model,
        "model_sha256": shelf.about.model_hash,
        "dtype": dtype(shelf),
        "arithmetic": shelf.about.arithmetic,
        "template": shelf.about.template,
        "max_tokens": shelf.about.max_tokens,
        "width": shelf.about.width,
        "entries": shelf.entries,
        "bytes": shelf.bytes,
        "segments": shelf.segments,
        "last_used_unix": shelf.used.and_then(seconds),
    })
}

fn dtype(shelf: &Found) -> Option<&str> {
    shelf.about.arithmetic.split_whitespace().next()
}

fn name(shelf: &Found) -> String {
    match shelf.about.model.as_str() {
        "" => "a model whose name is lost".into(),
        name => sanitise::excerpt(name, 80),
    }
}

/// `f32 cpu fused 2 avx512, pair`.
fn as_what(shelf: &Found) -> String {
    sanitise::excerpt(&format!("{}, {}", shelf.about.arithmetic, shelf.about.template), 120)
}

fn ago(used: Option<SystemTime>) -> String {
    let age = used.and_then(|used| used.elapsed().ok()).unwrap_or_default();
    match age.as_secs() / DAY.as_secs() {
        0 => "today".into(),
        days => format!("{} ago", figures::plural(days, "day", "days")),
    }
}

fn check(folder: &Path, format: ShortFormat) -> Result<u8, Failure> {
    let found: Vec<(Found, u64, Vec<Damage>)> = survey(folder)
        .into_iter()
        .map(|shelf| {
            let (sound, damages) = verify(&shelf.dir);
            (shelf, sound, damages)
        })
        .collect();
    let ok = found.iter().all(|(_, _, damages)| damages.is_empty());
    if format == ShortFormat::Json {
        let shelves: Vec<Value> = found
            .iter()
            .map(|(shelf, sound, damages)| {
                json!({
                    "path": shelf.dir.display().to_string(),
                    "model": shelf.about.model,
                    "sound": sound,
                    "damaged": damages.iter().map(damage_json).collect::<Vec<_>>(),
                })
            })
            .collect();
        print_json(&json!({ "folder": folder.display().to_string(), "ok": ok, "shelves": shelves }))?;
        return Ok(u8::from(!ok));
    }
    let mut text = String::new();
    for (shelf, sound, damages) in &found {
        let mark = if damages.is_empty() { "✓" } else { "✗" };
        let sound = figures::plural(*sound, "sound entry", "sound entries");
        text.push_str(&format!("{mark} {} ({}): {sound}\n", name(shelf), as_what(shelf)));
        damages.iter().for_each(|damage| text.push_str(&format!("  {}\n", damage_line(damage))));
    }
    text.push_str(match (found.is_empty(), ok) {
        (true, _) => "nothing is kept\n",
        (false, true) => "all checksums are right\n",
        (false, false) => {
            "damaged entries are never used: they are computed again. `recscope cache clear` removes them\n"
        }
    });
    print(&text)?;
    Ok(u8::from(!ok))
}

fn damage_json(damage: &Damage) -> Value {
    json!({
        "file": damage.file.display().to_string(),
        "entries": damage.entries,
        "first": damage.first,
        "reason": damage.why,
    })
}

fn damage_line(damage: &Damage) -> String {
    let file = sanitise::line(&damage.file.to_string_lossy()).into_owned();
    match (&damage.why, damage.first) {
        (Some(why), _) => format!("{file}: nothing of it can be used: {why}"),
        (None, first) => format!(
            "{file}: {} (the first is number {})",
            figures::plural(damage.entries, "damaged entry", "damaged entries"),
            first.unwrap_or(0)
        ),
    }
}

fn tell_cleared(folder: &Path, cleared: &Cleared, format: ShortFormat) -> Result<u8, Failure> {
    let code = if cleared.failed.is_empty() { 0 } else { 3 };
    if format == ShortFormat::Json {
        print_json(&json!({
            "folder": folder.display().to_string(),
            "entries": cleared.entries,
            "bytes": cleared.bytes,
            "segments": cleared.segments,
            "busy": cleared.busy,
            "failed": cleared.failed,
        }))?;
        return Ok(code);
    }
    let mut text = format!(
        "removed {}, {}, from {}\n",
        figures::plural(cleared.entries, "entry", "entries"),
        figures::bytes(cleared.bytes),
        sanitise::line(&folder.to_string_lossy()),
    );
    if cleared.busy > 0 {
        let left = figures::plural(cleared.busy, "segment", "segments");
        text.push_str(&format!("left {left}: a running job writes there\n"));
    }
    for failed in &cleared.failed {
        text.push_str(&format!("could not remove {}\n", sanitise::excerpt(failed, 400)));
    }
    print(&text)?;
    Ok(code)
}

fn print_json(value: &Value) -> Result<u8, Failure> {
    print(&json_page(value))
}
