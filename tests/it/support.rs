//! What several integration tests need: where optional real data lies, and nothing else.

use std::path::PathBuf;

/// Real data and models beside the checkout. Tests that use them skip with a printed reason when
/// they are absent; the product itself never looks here.
#[allow(dead_code)]
pub fn shared(path: &str) -> Option<PathBuf> {
    let full = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if full.exists() {
        Some(full)
    } else {
        println!("skipped: {} is not here", full.display());
        None
    }
}

/// A file of this repository.
#[allow(dead_code)]
pub fn repo(path: &str) -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
