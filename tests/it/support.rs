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

/// The shared libraries that an ELF program (64 bits, little end first) names as needed.
#[allow(dead_code)]
pub fn needed_libraries(program: &str) -> Vec<String> {
    const LOAD: u64 = 1;
    const DYNAMIC: u64 = 2;
    const NEEDED: u64 = 1;
    const STRINGS: u64 = 5;
    let bytes = std::fs::read(program).unwrap();
    assert_eq!(bytes[..6], *b"\x7fELF\x02\x01");
    let number = |at: usize, size: usize| {
        bytes[at..at + size].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    // Per segment: kind, place in the file, address, length in the file.
    let segments: Vec<[u64; 4]> = (0..count)
        .map(|n| (table + n * size) as usize)
        .map(|at| [number(at, 4), number(at + 8, 8), number(at + 16, 8), number(at + 32, 8)])
        .collect();
    let dynamic = segments.iter().find(|segment| segment[0] == DYNAMIC).unwrap();
    let entries: Vec<(u64, u64)> = (0..dynamic[3] / 16)
        .map(|n| (dynamic[1] + n * 16) as usize)
        .map(|at| (number(at, 8), number(at + 8, 8)))
        .collect();
    let address = entries.iter().find(|(tag, _)| *tag == STRINGS).unwrap().1;
    let within =
        |segment: &&[u64; 4]| segment[0] == LOAD && (segment[2]..segment[2] + segment[3]).contains(&address);
    let load = segments.iter().find(within).unwrap();
    let strings = address - load[2] + load[1];
    let name = |(_, at): &(u64, u64)| {
        let text = &bytes[(strings + at) as usize..];
        String::from_utf8_lossy(text.split(|byte| *byte == 0).next().unwrap()).into_owned()
    };
    entries.iter().filter(|(tag, _)| *tag == NEEDED).map(name).collect()
}
