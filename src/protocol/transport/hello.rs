//! The first frame in each direction: both ends must be of the same version, because the encoding
//! carries no field names. A mismatch happens when the program was upgraded under a running engine.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use super::frame::{FrameReader, FrameWriter, Stream};
use super::wire::{decode, encode};

/// Raised with every change of `Request` or `Event`.
const WIRE: u32 = 2;
const MAGIC: &str = "recscope";
/// A hello is tiny; a peer that says more is not ours.
const HELLO_BYTES: usize = 4096;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Hello {
    magic: String,
    version: String,
    wire: u32,
    pid: u32,
}

impl Hello {
    fn ours() -> Self {
        Self {
            magic: MAGIC.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            wire: WIRE,
            pid: std::process::id(),
        }
    }

    fn same_program(&self, other: &Hello) -> bool {
        (&self.magic, &self.version, self.wire) == (&other.magic, &other.version, other.wire)
    }
}

/// Says hello, checks the other side's, and gives its process id.
pub(super) fn exchange(mut input: impl Read, output: impl Write) -> Result<u32, String> {
    let mut writer = FrameWriter::new(output);
    writer.push(Stream::Ordered, encode(&Hello::ours())?).map_err(|e| e.to_string())?;
    writer.write_some().and_then(|()| writer.flush()).map_err(|e| e.to_string())?;
    let bytes = FrameReader::with_limit(&mut input, HELLO_BYTES)
        .read()
        .map_err(|e| format!("no hello from the other side: {e}"))?
        .ok_or("the other side closed the connection before its hello")?;
    let theirs: Hello = decode(&bytes)?;
    if theirs.same_program(&Hello::ours()) {
        return Ok(theirs.pid);
    }
    Err(format!(
        "the other side is {} {} (wire {}), this is recscope {} (wire {WIRE}): \
         the program was upgraded while it ran; restart it",
        theirs.magic,
        theirs.version,
        theirs.wire,
        env!("CARGO_PKG_VERSION"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_refused_in_words() {
        let other = Hello { magic: MAGIC.into(), version: "9.9.9".into(), wire: 77, pid: 1 };
        let mut bytes = Vec::new();
        let mut writer = FrameWriter::new(&mut bytes);
        writer.push(Stream::Ordered, encode(&other).unwrap()).unwrap();
        writer.write_some().unwrap();
        let error = exchange(bytes.as_slice(), Vec::new()).unwrap_err();
        assert!(error.contains("9.9.9") && error.contains("restart"), "{error}");
    }

    #[test]
    fn the_same_version_is_welcome() {
        let mut ours = Vec::new();
        let mut writer = FrameWriter::new(&mut ours);
        writer.push(Stream::Ordered, encode(&Hello::ours()).unwrap()).unwrap();
        writer.write_some().unwrap();
        assert_eq!(exchange(ours.as_slice(), Vec::new()), Ok(std::process::id()));
    }
}
