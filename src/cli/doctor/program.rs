//! The program itself: versions, DuckDB and its extensions, settings, models.

use super::Finding;
use crate::cli::{models, settings};
use crate::engine::store::{Store, StoreOptions};

const TOPIC: &str = "program";

/// Extensions that open more kinds of data: name, what for, whether the prebuilt library has it.
const WANTED: [(&str, &str); 3] =
    [("parquet", "Parquet files"), ("json", "JSON files"), ("httpfs", "http(s):// and s3:// paths")];

pub(super) fn findings() -> Vec<Finding> {
    let mut findings = vec![version()];
    findings.extend(duckdb());
    findings.extend(settings_file());
    findings.push(found_models());
    findings
}

fn version() -> Finding {
    let mut features: Vec<&str> = Vec::new();
    for (on, name) in [
        (cfg!(feature = "cuda"), "cuda"),
        (cfg!(feature = "flash-attn"), "flash-attn"),
        (cfg!(feature = "metal"), "metal"),
        (cfg!(feature = "mkl"), "mkl"),
        (cfg!(feature = "bundled"), "bundled"),
    ] {
        if on {
            features.push(name);
        }
    }
    let features = if features.is_empty() { "no optional features".into() } else { features.join(", ") };
    let build = if cfg!(debug_assertions) { "development build" } else { "release build" };
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    Finding::ok(TOPIC, "recscope", format!("{} ({build}, {features}, {system})", env!("CARGO_PKG_VERSION")))
}

fn duckdb() -> Vec<Finding> {
    // In a folder of its own: where engines spill, opening would sweep, and this only looks.
    let folder = tempfile::tempdir();
    let spill_root = folder.as_ref().ok().map(|folder| folder.path().to_path_buf());
    let store = match Store::open(&StoreOptions { spill_root, ..StoreOptions::default() }) {
        Ok(store) => store,
        Err(error) => {
            let remedy =
                error.hint.unwrap_or_else(|| "is the temporary folder writable and not full?".into());
            return vec![
                Finding::problem(
                    TOPIC,
                    "duckdb",
                    format!("does not open: {}", error.message),
                    remedy.clone(),
                ),
                Finding::problem(TOPIC, "extensions", "not known: DuckDB does not open", remedy),
            ];
        }
    };
    let version = store.duckdb_version().unwrap_or_else(|error| error.message);
    vec![Finding::ok(TOPIC, "duckdb", version), extensions(&store)]
}

fn extensions(store: &Store) -> Finding {
    match usable_extensions(store) {
        Ok(usable) => {
            let has = |name: &str| usable.iter().any(|usable| usable == name);
            let missing: Vec<String> = WANTED
                .iter()
                .filter(|(name, _)| !has(name))
                .map(|(name, what)| format!("{name} ({what})"))
                .collect();
            let detail = format!("usable: {}", usable.join(", "));
            match missing.is_empty() {
                true => Finding::ok(TOPIC, "extensions", detail),
                false => Finding::note(
                    TOPIC,
                    "extensions",
                    format!("{detail}; not installed: {}", missing.join(", ")),
                    "where they are needed and the network allows it, `INSTALL httpfs` in the duckdb CLI of the same version; recscope never downloads by itself",
                ),
            }
        }
        Err(message) => {
            Finding::problem(TOPIC, "extensions", message, "reinstall libduckdb: scripts/libduckdb")
        }
    }
}

fn usable_extensions(store: &Store) -> Result<Vec<String>, String> {
    let found = store.extensions().map_err(|error| error.message)?;
    Ok(found.into_iter().map(|extension| extension.name).collect())
}

fn settings_file() -> Vec<Finding> {
    let settings = settings::read();
    let Some(path) = settings.path else {
        return vec![Finding::note(
            TOPIC,
            "settings",
            "no folder for settings",
            "set HOME, or RECSCOPE_CONFIG to a file",
        )];
    };
    let path = path.display();
    if !settings.faults.is_empty() {
        let detail = format!("{path}: {}", settings.faults.join("; "));
        return vec![Finding::problem(
            TOPIC,
            "settings",
            detail,
            "`recscope docs config` lists what may stand in it",
        )];
    }
    let detail = if settings.found { format!("{path}") } else { format!("defaults; {path} would be read") };
    vec![Finding::ok(TOPIC, "settings", detail)]
}

fn found_models() -> Finding {
    let base = std::env::current_dir().unwrap_or_default();
    let folders = settings::read().model_folders(&base);
    let found = models::find(&folders);
    if found.is_empty() {
        let places: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let remedy = "`recscope models pull ORG/NAME` fetches one into models/; or put a Hugging Face folder with model.safetensors there, or name its parent in RECSCOPE_MODELS; `recscope demo` brings its own";
        return Finding::note(TOPIC, "models", format!("none in {}", places.join(", ")), remedy);
    }
    let broken: Vec<String> = found
        .iter()
        .filter(|model| model.kind.is_err() || !model.weights)
        .map(|model| model.path.display().to_string())
        .collect();
    let names: Vec<String> = found.iter().map(|model| model.path.display().to_string()).collect();
    match broken.is_empty() {
        true => Finding::ok(TOPIC, "models", names.join(", ")),
        false => Finding::note(
            TOPIC,
            "models",
            format!("{}; not usable: {}", names.join(", "), broken.join(", ")),
            "`recscope models info FOLDER` says why",
        ),
    }
}
