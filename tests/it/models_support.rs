//! What the tests of `recscope models pull` share: a tiny model's files, and the program in a folder.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::repo;

/// Name and content.
pub type Files = Vec<(String, Vec<u8>)>;

/// The files of a fixture, with a licence and a file that no model needs.
pub fn model(fixture: &str) -> Files {
    let root = repo("fixtures/architectures").join(fixture);
    let mut files = Files::new();
    for entry in std::fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match path.is_dir() {
            true => {
                let inner = std::fs::read(path.join("config.json")).unwrap();
                files.push((format!("{name}/config.json"), inner));
            }
            false => files.push((name, std::fs::read(&path).unwrap())),
        }
    }
    files.push(("README.md".into(), b"---\nlicense: apache-2.0\n---\n# Tiny\n".to_vec()));
    files.push(("onnx/model.onnx".into(), b"not read".to_vec()));
    files.sort();
    files
}

/// What of [`model`] is to arrive.
pub fn wanted(files: &Files) -> Files {
    let unread = |name: &str| name == "golden.json" || name.starts_with("onnx/");
    files.iter().filter(|(name, _)| !unread(name)).cloned().collect()
}

/// Every file below a folder.
pub fn on_disk(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                    files.push((name, std::fs::read(&path).unwrap()));
                }
            }
        }
    }
    files.sort();
    files
}

/// Names in a folder, hidden ones too.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The program in a folder, with nothing of this machine's settings, hub or proxies.
pub fn recscope(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    std::fs::write(folder.join("none.toml"), "").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_recscope"));
    command.args(args).current_dir(folder).env("RECSCOPE_CONFIG", folder.join("none.toml"));
    for name in ["RECSCOPE_MODELS", "HF_TOKEN", "HF_HUB_OFFLINE", "SSL_CERT_FILE"] {
        command.env_remove(name);
    }
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"] {
        command.env_remove(name);
    }
    // Nothing is ever fetched from a hub by mistake.
    command.env("HF_ENDPOINT", "http://127.0.0.1:9");
    command.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}
