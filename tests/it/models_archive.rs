//! `recscope models pull` from archives and folders: what arrives, and what hostile ones come to.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::models_support::{Files, code, err, model, names, on_disk, out, recscope, wanted};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn tar(files: &Files, top: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("{top}{name}"), content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(files: &Files, top: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        let options =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.start_file(format!("{top}{name}"), options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Pulls what must be refused: exit code 3, nothing left behind, and these words said.
fn refused(bytes: &[u8], name: &str, words: &[&str]) {
    let folder = folder();
    put(folder.path(), name, bytes);
    let output = recscope(folder.path(), &["models", "pull", name], &[]);
    assert_refused(folder.path(), &output, words);
}

fn assert_refused(folder: &Path, output: &Output, words: &[&str]) {
    assert_eq!(code(output), 3, "{}", err(output));
    for word in words {
        assert!(err(output).contains(word), "{word:?} in {}", err(output));
    }
    assert!(err(output).contains("hint: "), "{}", err(output));
    assert_eq!(names(&folder.join("models")), [""; 0], "{}", err(output));
}

#[test]
fn every_kind_of_archive_gives_the_same_folder() {
    let files = model("bert-bge-zh");
    let zst =
        |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    let archives = [
        ("bge.tar", tar(&files, "")),
        ("bge.tar.gz", gzip(&tar(&files, "./"))),
        ("bge.tgz", gzip(&tar(&files, "bge-zh/"))),
        ("bge.tar.zst", zst(&tar(&files, "bge-zh/"))),
        ("bge.zip", zip(&files, "a/bge-zh/")),
        // The name says nothing.
        ("bge", zip(&files, "")),
    ];
    for (name, bytes) in archives {
        let folder = folder();
        put(folder.path(), name, &bytes);
        let source = format!("./{name}");
        let output = recscope(folder.path(), &["models", "pull", &source], &[]);
        assert_eq!(code(&output), 0, "{name}: {}", err(&output));
        assert!(out(&output).starts_with("models/bge\nBERT, embeddings; "), "{}", out(&output));
        assert!(out(&output).contains("licence apache-2.0"), "{}", out(&output));
        assert!(err(&output).contains("2 files that recscope does not read left out"), "{}", err(&output));
        assert_eq!(on_disk(&folder.path().join("models/bge")), wanted(&files), "{name}");
        assert_eq!(names(&folder.path().join("models")), ["bge"]);
    }
}

#[test]
fn a_folder_is_copied_and_checked() {
    let (from, folder) = (folder(), folder());
    let files = model("roberta-sharded");
    for (name, content) in &files {
        let path = from.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let source = from.path().to_str().unwrap();
    let args = ["models", "pull", source, "--to", "my/model", "--format", "json"];
    let output = recscope(folder.path(), &args, &[]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let value: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((value["path"].as_str(), value["licence"].as_str()), (Some("my/model"), Some("apache-2.0")));
    assert_eq!(on_disk(&folder.path().join("my/model")), wanted(&files));

    std::fs::write(folder.path().join("my/model/mine.txt"), "kept").unwrap();
    let output = recscope(folder.path(), &args, &[]);
    assert_eq!(code(&output), 2, "{}", err(&output));
    assert!(err(&output).contains("there already"), "{}", err(&output));
    assert!(folder.path().join("my/model/mine.txt").exists());

    std::fs::remove_file(from.path().join("model-00002-of-00003.safetensors")).unwrap();
    let output = recscope(folder.path(), &["models", "pull", source, "--to", "models/x"], &[]);
    assert_refused(folder.path(), &output, &["model-00002-of-00003.safetensors is not there"]);
}

#[test]
fn links_and_ways_out_are_refused() {
    let mut link = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    link.append_link(&mut header, "m/model.safetensors", "/etc/passwd").unwrap();
    refused(&link.into_inner().unwrap(), "m.tar", &["is a link", "--dereference"]);

    for name in ["../evil.json", "/tmp/evil.json", "m/../../evil.json", "m/a\u{1b}[2J.json"] {
        let mut out = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(2);
        header.set_cksum();
        out.append(&header, b"{}".as_slice()).unwrap();
        refused(&out.into_inner().unwrap(), "m.tar", &["leads outside its folder or hides"]);
    }
    let evil = vec![("../../evil.json".to_owned(), b"{}".to_vec())];
    refused(&zip(&evil, ""), "m.zip", &["leads outside"]);
}

#[test]
fn an_archive_that_unpacks_to_far_more_is_refused() {
    let mut files = model("bert-classifier");
    files.retain(|(name, _)| name != "model.safetensors");
    files.push(("model.safetensors".into(), vec![0; 100 << 20]));
    refused(&gzip(&tar(&files, "")), "m.tar.gz", &["unpacks to more than", "100 times its size"]);
    refused(&zip(&files, ""), "m.zip", &["unpacks to more than", "100 times its size"]);
}

#[test]
fn what_is_no_model_is_told_as_such() {
    let files = model("bert-classifier");
    let without = |name: &str| -> Files { files.iter().filter(|(n, _)| n != name).cloned().collect() };
    refused(&zip(&without("config.json"), ""), "m.zip", &["has no config.json"]);
    refused(&zip(&without("tokenizer.json"), ""), "m.zip", &["m.zip has no tokenizer"]);
    refused(&zip(&without("model.safetensors"), ""), "m.zip", &["has no model.safetensors"]);
    let mut pickle = without("model.safetensors");
    pickle.push(("pytorch_model.bin".into(), vec![0x80, 2]));
    refused(&zip(&pickle, ""), "m.zip", &["is a Python pickle", "save_pretrained"]);
    refused(&[0x80, 2, 0], "weights.bin", &["is a Python pickle"]);
    refused(b"hello", "m.zip", &["no archive that is read here", ".tar.gz"]);
    let mut other = without("config.json");
    other.push(("config.json".into(), br#"{"architectures": ["GPT2LMHeadModel"]}"#.to_vec()));
    refused(
        &zip(&other, ""),
        "m.zip",
        &["m.zip/config.json: architecture \"GPT2LMHeadModel\" is not supported"],
    );
    let whole = gzip(&tar(&files, ""));
    refused(&whole[..whole.len() / 2], "m.tar.gz", &["m.tar.gz"]);
    // The tar ends before its compression does: checksum and length stand in the last eight bytes.
    for lost in 1..=10 {
        refused(&whole[..whole.len() - lost], "m.tar.gz", &["m.tar.gz cannot be unpacked"]);
    }
    let mut torn = without("model.safetensors");
    let weights = files.iter().find(|(name, _)| name == "model.safetensors").unwrap();
    torn.push(("model.safetensors".into(), weights.1[..weights.1.len() - 5].to_vec()));
    refused(&zip(&torn, ""), "m.zip", &["m.zip/model.safetensors: its header describes"]);
}

#[test]
fn two_models_in_one_archive_are_not_guessed_between() {
    let mut files = Files::new();
    for top in ["a", "b"] {
        files.extend(
            model("bert-classifier").into_iter().map(|(name, bytes)| (format!("{top}/{name}"), bytes)),
        );
    }
    let folder = folder();
    put(folder.path(), "m.zip", &zip(&files, ""));
    let output = recscope(folder.path(), &["models", "pull", "m.zip"], &[]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("holds several models: a, b"), "{}", err(&output));
}

#[test]
fn a_wrong_source_says_what_may_stand_there() {
    let folder = folder();
    for (source, status, word) in [
        ("./nothing.zip", 3, "there is no file or folder ./nothing.zip"),
        ("nothing.tar.gz", 3, "there is no file or folder nothing.tar.gz"),
        ("a/b/c", 2, "is no name of a model"),
        ("a/..", 2, "is no name of a model"),
        ("https://huggingface.co/a/b", 2, "recscope models pull a/b"),
    ] {
        let output = recscope(folder.path(), &["models", "pull", source], &[]);
        assert_eq!(code(&output), status, "{source}: {}", err(&output));
        assert!(err(&output).contains(word), "{source}: {}", err(&output));
    }
    let output = recscope(folder.path(), &["models", "pull", "a/b", "--revision", "../x"], &[]);
    assert_eq!(code(&output), 2, "{}", err(&output));
}

#[test]
fn list_tells_size_labels_licence_and_hash() {
    let folder = folder();
    put(folder.path(), "m.zip", &zip(&model("bert-esci"), ""));
    assert_eq!(code(&recscope(folder.path(), &["models", "pull", "m.zip"], &[])), 0);
    std::fs::create_dir_all(folder.path().join("models/\u{1b}[2Jbad")).unwrap();
    std::fs::write(folder.path().join("models/\u{1b}[2Jbad/config.json"), "{").unwrap();

    let text = out(&recscope(folder.path(), &["models", "list"], &[]));
    assert!(!text.contains('\u{1b}'), "{text}");
    let row = text.lines().find(|line| line.contains("models/m ")).unwrap();
    assert!(row.contains("BERT") && row.contains("4 labels") && row.contains("apache-2.0"), "{text}");
    assert!(text.contains("not usable"), "{text}");

    let hashed = out(&recscope(folder.path(), &["models", "list", "--hash", "--format", "json"], &[]));
    let value: serde_json::Value = serde_json::from_str(&hashed).unwrap();
    let models = value["models"].as_array().unwrap();
    let good = models.iter().find(|model| model["reason"].is_null()).unwrap();
    let info = out(&recscope(folder.path(), &["models", "info", "models/m", "--format", "json"], &[]));
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!(good["sha256"], info["sha256"]);
    assert_eq!((&good["bytes"], &good["labels"]), (&info["bytes"], &info["labels"]));
    assert_eq!(
        (good["licence"].as_str(), info["licence"].as_str()),
        (Some("apache-2.0"), Some("apache-2.0"))
    );
    let size: usize = on_disk(&folder.path().join("models/m")).iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(good["bytes"].as_u64(), Some(size as u64));
}
