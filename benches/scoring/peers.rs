//! The peers' side that is not ours: installing them, exporting a model for them, and choosing how each
//! runs best on this machine. The work is done by the scripts of `benches/peers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::rival::last_json;

fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    command.arg(folder.join(name)).env("PYTHONDONTWRITEBYTECODE", "1").env("TOKENIZERS_PARALLELISM", "false");
    command
}

/// The interpreter that has the peers; says what is missing and why.
///
/// `card`: with PyTorch's libraries for GPUs, 3 GB more.
pub fn install(card: bool) -> Option<PathBuf> {
    let mut installer = script("python3".as_ref(), "install.py");
    if card {
        installer.env("RECSCOPE_PEERS_FULL_TORCH", "1");
    }
    let found = match last_json(&mut installer) {
        Ok(found) => found,
        Err(why) => {
            println!("peers: none: python3 {why}");
            return None;
        }
    };
    for (module, why) in found["missing"].as_object().into_iter().flatten() {
        println!("peers: no {module}: {}", why.as_str().unwrap_or_default());
    }
    found["python"].as_str().map(PathBuf::from)
}

/// ONNX files of the model by name. Without any, ONNX Runtime cannot take part.
pub fn export(python: &Path, model: &Path) -> Value {
    match last_json(script(python, "export.py").arg(model)) {
        Ok(made) => {
            for (graph, why) in made["failed"].as_object().into_iter().flatten() {
                println!("peers: no {graph} graph: {}", why.as_str().unwrap_or_default());
            }
            made["graphs"].clone()
        }
        Err(why) => {
            println!("peers: no ONNX files: the export {why}");
            Value::Object(Default::default())
        }
    }
}

/// The command that serves a peer in the way that a short probe found fastest.
pub fn command(python: &Path, kind: &str, job: &Path) -> Result<Command, String> {
    let variant = last_json(script(python, "contestant.py").arg("probe").arg(kind).arg(job))?;
    let mut command = script(python, "contestant.py");
    command.arg("serve").arg(kind).arg(job).arg(variant.to_string());
    Ok(command)
}
