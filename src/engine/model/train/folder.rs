//! Writes a trained model as a Hugging Face folder: all of it or none of it. A temporary folder
//! beside the target is filled and renamed into place.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::engine::model::{BertConfig, ModelError, ModelErrorKind, Params};

/// Taken over from the start folder where they are there.
const TOKENIZER_FILES: [&str; 4] =
    ["tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"];

/// Whether `out` may be written, before hours of work are spent: it must not be the start folder, a
/// file, or a folder with anything but a model in it, and its parent must take new folders.
pub(super) fn check_out(out: &Path, start: &Path) -> Result<(), ModelError> {
    let refuse = |what: String| {
        let error = ModelError::new(ModelErrorKind::Usage, what);
        Err(error.hint("name another folder in `out`; an existing model folder is replaced, nothing else is"))
    };
    let same = matches!((out.canonicalize(), start.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if same {
        return refuse(format!("{} is the model that training starts from", out.display()));
    }
    if out.file_name().is_none() {
        return refuse(format!("\"{}\" names no folder", out.display()));
    }
    if out.exists() && !is_replaceable(out) {
        return refuse(format!("{} exists and is not a model folder", out.display()));
    }
    temporary_beside(out).map(drop)
}

/// A symbolic link is not replaced: its target would be left behind and the link lost.
fn is_replaceable(out: &Path) -> bool {
    let is_folder = fs::symlink_metadata(out).is_ok_and(|meta| meta.is_dir());
    let is_empty = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    is_folder && (is_empty || out.join("config.json").is_file())
}

/// Writes everything and puts it in place. An older model folder there is replaced.
pub(super) fn save(
    out: &Path,
    start: &Path,
    config: &BertConfig,
    params: &Params,
    report: &Value,
) -> Result<(), ModelError> {
    let temporary = temporary_beside(out)?;
    let dir = temporary.path();
    write_json(&dir.join("config.json"), &config.to_json())?;
    write_json(&dir.join("training.json"), report)?;
    for name in TOKENIZER_FILES {
        let from = start.join(name);
        if from.is_file() {
            let bytes = fs::read(&from).map_err(|e| cannot("read", &from, &e))?;
            write(&dir.join(name), &bytes)?;
        }
    }
    let weights = dir.join("model.safetensors");
    params.save(&weights)?;
    // The library writes it for the owner alone; whoever may read the config may read the weights.
    let readable = fs::metadata(dir.join("config.json")).map(|meta| meta.permissions());
    readable.and_then(|p| fs::set_permissions(&weights, p)).map_err(|e| cannot("write", &weights, &e))?;
    sync(&weights)?;
    put_in_place(temporary, out)
}

/// Renames the filled folder to `out`; an old one steps aside first and is deleted last, and comes
/// back if the rename fails.
fn put_in_place(temporary: tempfile::TempDir, out: &Path) -> Result<(), ModelError> {
    let aside = if out.exists() {
        let aside = temporary_beside(out)?;
        let old = aside.path().join("old");
        fs::rename(out, &old).map_err(|e| cannot("replace", out, &e))?;
        Some((aside, old))
    } else {
        None
    };
    if let Err(error) = fs::rename(temporary.path(), out) {
        if let Some((_, old)) = &aside {
            let _ = fs::rename(old, out);
        }
        return Err(cannot("write", out, &error));
    }
    // It is the model folder now; dropping the handle would try to delete what is no longer there.
    let _ = temporary.keep();
    Ok(())
}

/// A private folder on the same disk as `out`, gone when dropped.
fn temporary_beside(out: &Path) -> Result<tempfile::TempDir, ModelError> {
    let parent: PathBuf = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(|e| cannot("create", &parent, &e))?;
    tempfile::Builder::new()
        .prefix(".recscope-train-")
        .tempdir_in(&parent)
        .map_err(|e| cannot("write to", &parent, &e))
}

fn write_json(file: &Path, value: &Value) -> Result<(), ModelError> {
    let mut text = format!("{value:#}");
    text.push('\n');
    write(file, text.as_bytes())
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    fs::write(file, bytes).map_err(|e| cannot("write", file, &e))
}

fn sync(file: &Path) -> Result<(), ModelError> {
    fs::File::open(file).and_then(|f| f.sync_all()).map_err(|e| cannot("write", file, &e))
}

pub(super) fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> ModelError {
    ModelError::new(ModelErrorKind::Resource, format!("cannot {verb} {}: {error}", path.display()))
        .hint("check the folder's permissions and the space left on the disk")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_model_is_never_replaced() {
        let base = tempfile::tempdir().unwrap();
        let start = base.path().join("start");
        fs::create_dir(&start).unwrap();
        fs::write(start.join("config.json"), "{}").unwrap();
        assert!(check_out(&start, &start).is_err());
        let photos = base.path().join("照片");
        fs::create_dir(&photos).unwrap();
        assert!(check_out(&photos, &start).is_ok());
        fs::write(photos.join("a.png"), "x").unwrap();
        assert!(check_out(&photos, &start).unwrap_err().message.contains("not a model folder"));
        fs::write(base.path().join("file"), "x").unwrap();
        assert!(check_out(&base.path().join("file"), &start).is_err());
        assert!(check_out(&base.path().join("file/below"), &start).is_err());
        assert!(check_out(&base.path().join("new/deeper/model"), &start).is_ok());
        #[cfg(unix)]
        {
            let link = base.path().join("link");
            std::os::unix::fs::symlink(&start, &link).unwrap();
            assert!(check_out(&link, &photos).is_err());
        }
    }

    #[test]
    fn a_folder_is_replaced_as_a_whole() {
        let base = tempfile::tempdir().unwrap();
        let out = base.path().join("model");
        for text in ["one", "two"] {
            let temporary = temporary_beside(&out).unwrap();
            fs::write(temporary.path().join(text), text).unwrap();
            put_in_place(temporary, &out).unwrap();
            assert_eq!(fs::read_to_string(out.join(text)).unwrap(), text);
        }
        assert!(!out.join("one").exists());
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    }
}
