//! One fingerprint of a model folder: equal folders give equal scores, so it keys caches.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::ModelError;
use super::folder::weights_files;
use super::layout::Layout;
use super::parts::CONFIG;
use super::{adapter, pool, prefixes, tokenizer_file};

/// What else beside the weights can change a score, in the folder's root; beside the weights lie
/// config.json and the tokenizer's files.
const OUTER_FILES: [&str; 2] = ["modules.json", prefixes::FILE];
/// Raised where this program comes to read the same files otherwise, so that no older score is taken for
/// one of now.
const READING: &[u8] = b"2";

/// SHA-256 over names and contents of the files that decide a score, as 64 hex digits.
pub fn hash_folder(dir: &Path) -> Result<String, ModelError> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 1 << 20];
    let Layout { root, transformer, adapter } = Layout::of(dir)?;
    let pooling = pool::config_file(&root)?;
    let outer = OUTER_FILES.iter().map(|name| (*name, root.join(name)));
    let inner = [CONFIG].into_iter().chain(tokenizer_file::FILES).map(|name| (name, transformer.join(name)));
    let small = outer.chain(inner);
    hash.update(READING);
    for (name, file) in small.chain(pooling.map(|file| ("pooling", file))) {
        if file.is_file() {
            add(&mut hash, name, &file, &mut buffer)?;
        }
    }
    for (name, file) in adapter.iter().flat_map(|dir| adapter::FILES.map(|name| (name, dir.join(name)))) {
        add(&mut hash, name, &file, &mut buffer)?;
    }
    for file in weights_files(dir)? {
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        add(&mut hash, &name, &file, &mut buffer)?;
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn add(hash: &mut Sha256, name: &str, file: &Path, buffer: &mut [u8]) -> Result<(), ModelError> {
    let mut opened = std::fs::File::open(file).map_err(|e| ModelError::io(file, &e))?;
    let length = opened.metadata().map_err(|e| ModelError::io(file, &e))?.len();
    hash.update(name.as_bytes());
    hash.update([0]);
    hash.update(length.to_le_bytes());
    loop {
        match opened.read(buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => hash.update(buffer.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(ModelError::io(file, &e)),
        }
    }
}
