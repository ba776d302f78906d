//! The fuzz targets over their committed corpus and seeded mutations of it: the same inputs in every run.
//! `RECSCOPE_FUZZ_ROUNDS=50` makes fifty times as many; `tests/fuzz/Cargo.toml` says how to search further.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::repo;

#[path = "../fuzz/targets.rs"]
mod targets;

/// Largest input that a mutation may make.
const MOST_BYTES: usize = 64 << 10;

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = repo("tests/fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// What stands in files of these kinds, and numbers at the edges of their types.
const WORDS: [&[u8]; 24] = [
    b"```",
    b"---\n",
    b"{{",
    b"}}",
    b"\"",
    b"\\",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xe8\xb7",
    "鞋".as_bytes(),
    b"{",
    b"]",
    b",",
    b"\x1b[",
    b"18446744073709551615",
    b"-1",
    b"1e999",
    b"NaN",
    b"\xff\xff\xff\xff",
    b"\0\0\0\x80",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"0000000000",
];

fn mutated(random: &mut ChaCha8Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds.choose(random).cloned().unwrap_or_default();
    for _ in 0..random.random_range(1..=6) {
        let at = random.random_range(0..=bytes.len());
        let end = (at + random.random_range(0..=16usize)).min(bytes.len());
        match random.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = random.random(),
            2 => drop(bytes.drain(at..end)),
            3 => drop(bytes.splice(at..at, WORDS.choose(random).unwrap_or(&WORDS[0]).iter().copied())),
            4 => {
                let copied = bytes[at..end].repeat(random.random_range(1..=40));
                drop(bytes.splice(at..at, copied));
            }
            5 => {
                let other = seeds.choose(random).cloned().unwrap_or_default();
                let from = random.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes.truncate(MOST_BYTES);
    bytes
}

fn run(name: &str) {
    let (_, target, tries) = targets::TARGETS.iter().find(|(target, ..)| *target == name).unwrap();
    let rounds: usize = std::env::var("RECSCOPE_FUZZ_ROUNDS").ok().map_or(1, |n| n.parse().unwrap());
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name} has no corpus");
    let mut random = ChaCha8Rng::seed_from_u64(42);
    let inputs = seeds.iter().cloned().chain((0..tries * rounds).map(|_| mutated(&mut random, &seeds)));
    for (number, input) in inputs.enumerate() {
        if catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
            let file = std::env::temp_dir().join(format!("recscope-fuzz-{name}-{number}"));
            std::fs::write(&file, &input).unwrap();
            let text = input.escape_ascii().take(2_000).collect::<Vec<u8>>();
            panic!("{name}: input {number} ({}):\n{}", file.display(), String::from_utf8_lossy(&text));
        }
    }
}

#[test]
fn fuzz_notebook() {
    run("notebook");
}

#[test]
fn fuzz_frames() {
    run("frames");
}

#[test]
fn fuzz_heads() {
    run("heads");
}

#[test]
fn fuzz_tokenizer() {
    run("tokenizer");
}

#[test]
fn fuzz_safetensors() {
    run("safetensors");
}

#[test]
fn fuzz_keys() {
    run("keys");
}

#[test]
fn every_target_is_run_here_and_by_cargo_fuzz() {
    let own = std::fs::read_to_string(repo("tests/it/fuzz.rs")).unwrap();
    let manifest = std::fs::read_to_string(repo("tests/fuzz/Cargo.toml")).unwrap();
    for (name, ..) in targets::TARGETS {
        assert!(own.contains(&format!("run(\"{name}\");")), "{name} has no test");
        assert!(
            manifest.contains(&format!("name = \"{name}\"\npath = \"bins/{name}.rs\"")),
            "{name} has no program"
        );
    }
    assert_eq!(manifest.matches("[[bin]]").count(), targets::TARGETS.len());
}
