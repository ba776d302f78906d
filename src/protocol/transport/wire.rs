//! Messages as bytes (postcard), and the thread that writes them. The only place that knows the
//! encoding.

use std::io::{BufWriter, Write};

use crossbeam_channel::Receiver;
use serde::{Serialize, de::DeserializeOwned};

use super::frame::{FrameWriter, Stream};
use crate::protocol::{Event, Request};

/// One message as bytes.
pub fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, String> {
    postcard::to_stdvec(message).map_err(|e| format!("a message cannot be encoded: {e}"))
}

/// The message in `bytes`, all of them.
pub fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, String> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(format!("{} bytes left over after a message", rest.len())),
        Err(e) => Err(format!("a message cannot be decoded: {e}")),
    }
}

/// Which stream a message travels on.
pub(super) trait Routed: Serialize {
    fn stream(&self) -> Stream {
        Stream::Ordered
    }
}

impl Routed for Request {}

impl Routed for Event {
    fn stream(&self) -> Stream {
        match self {
            Event::Page { .. } => Stream::Bulk,
            _ => Stream::Ordered,
        }
    }
}

/// Writes what `messages` brings until it closes and everything is out, or the peer is gone.
pub(super) fn write_all<M: Routed>(messages: &Receiver<M>, output: impl Write) -> Result<(), String> {
    let mut writer = FrameWriter::new(BufWriter::with_capacity(64 << 10, output));
    let mut open = true;
    while open || !writer.is_empty() {
        if writer.is_empty() {
            writer.flush().map_err(|e| e.to_string())?;
            match messages.recv() {
                Ok(message) => push(&mut writer, &message),
                Err(_) => open = false,
            }
        }
        while let Ok(message) = messages.try_recv() {
            push(&mut writer, &message);
        }
        writer.write_some().map_err(|e| e.to_string())?;
    }
    writer.flush().map_err(|e| e.to_string())
}

/// A message that cannot travel is logged and left out: the connection is worth more than it.
fn push<M: Routed>(writer: &mut FrameWriter<impl Write>, message: &M) {
    let sent =
        encode(message).and_then(|bytes| writer.push(message.stream(), bytes).map_err(|e| e.to_string()));
    if let Err(why) = sent {
        tracing::error!("message dropped: {why}");
    }
}
