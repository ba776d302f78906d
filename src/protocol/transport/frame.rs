//! Length-prefixed frames over any byte stream. A message is one or more pieces; each piece is
//! `[flags: u8][length: u32 little-endian][bytes]`. Two streams share a connection: messages of a
//! stream keep their order, but a long *bulk* message (a page of rows) is written in pieces and lets
//! *ordered* ones (progress, states) pass between them. No threads and no sockets here.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

/// A peer that announces more than this is broken or hostile; nothing is allocated for it.
pub const MAX_MESSAGE_BYTES: usize = 256 << 20;
const PIECE_BYTES: usize = 64 << 10;
const HEADER_BYTES: usize = 5;
const BULK: u8 = 1;
const LAST: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Goes first, whole, in order.
    Ordered,
    /// Goes in pieces whenever nothing ordered waits.
    Bulk,
}

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a message of {0} bytes is over the limit of {MAX_MESSAGE_BYTES}")]
    TooLarge(usize),
    #[error("not a frame of this protocol (flags {0:#x})")]
    BadFlags(u8),
    #[error("the connection broke in the middle of a message")]
    Cut,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Queues messages and writes them piece by piece.
pub struct FrameWriter<W> {
    output: W,
    ordered: VecDeque<Vec<u8>>,
    bulk: VecDeque<Vec<u8>>,
    /// Bytes of the first bulk message that are already out.
    bulk_sent: usize,
}

impl<W: Write> FrameWriter<W> {
    pub fn new(output: W) -> Self {
        Self { output, ordered: VecDeque::new(), bulk: VecDeque::new(), bulk_sent: 0 }
    }

    pub fn push(&mut self, stream: Stream, message: Vec<u8>) -> Result<(), FrameError> {
        if message.len() > MAX_MESSAGE_BYTES {
            return Err(FrameError::TooLarge(message.len()));
        }
        match stream {
            Stream::Ordered => self.ordered.push_back(message),
            Stream::Bulk => self.bulk.push_back(message),
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.ordered.is_empty() && self.bulk.is_empty()
    }

    /// Writes what is most urgent: one whole ordered message, or one piece of a bulk message.
    pub fn write_some(&mut self) -> io::Result<()> {
        if let Some(message) = self.ordered.pop_front() {
            self.piece(LAST, &message)?;
        } else if let Some(message) = self.bulk.pop_front() {
            let end = message.len().min(self.bulk_sent + PIECE_BYTES);
            let last = end == message.len();
            let slice = message.get(self.bulk_sent..end).unwrap_or_default();
            self.piece(if last { BULK | LAST } else { BULK }, slice)?;
            if last {
                self.bulk_sent = 0;
            } else {
                self.bulk_sent = end;
                self.bulk.push_front(message);
            }
        }
        Ok(())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn piece(&mut self, flags: u8, bytes: &[u8]) -> io::Result<()> {
        let mut header = [flags, 0, 0, 0, 0];
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        header[1..].copy_from_slice(&length.to_le_bytes());
        self.output.write_all(&header)?;
        self.output.write_all(bytes)
    }
}

/// Reads pieces and hands out whole messages.
pub struct FrameReader<R> {
    input: R,
    ordered: Vec<u8>,
    bulk: Vec<u8>,
    limit: usize,
}

impl<R: Read> FrameReader<R> {
    pub fn new(input: R) -> Self {
        Self::with_limit(input, MAX_MESSAGE_BYTES)
    }

    pub fn with_limit(input: R, limit: usize) -> Self {
        Self { input, ordered: Vec::new(), bulk: Vec::new(), limit }
    }

    /// The next whole message; `None` when the peer has closed between messages.
    pub fn read(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        loop {
            let Some((flags, length)) = self.header()? else {
                let between = self.ordered.is_empty() && self.bulk.is_empty();
                return if between { Ok(None) } else { Err(FrameError::Cut) };
            };
            let buffer = if flags & BULK == 0 { &mut self.ordered } else { &mut self.bulk };
            if buffer.len() + length > self.limit {
                return Err(FrameError::TooLarge(buffer.len() + length));
            }
            // Grows with what really arrives, not with what the header claims.
            let got = (&mut self.input).take(length as u64).read_to_end(buffer)?;
            if got < length {
                return Err(FrameError::Cut);
            }
            if flags & LAST != 0 {
                return Ok(Some(std::mem::take(buffer)));
            }
        }
    }

    fn header(&mut self) -> Result<Option<(u8, usize)>, FrameError> {
        let mut header = [0u8; HEADER_BYTES];
        let mut filled = 0;
        while filled < HEADER_BYTES {
            match self.input.read(&mut header[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(FrameError::Cut),
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        let [flags, a, b, c, d] = header;
        if flags & !(BULK | LAST) != 0 {
            return Err(FrameError::BadFlags(flags));
        }
        Ok(Some((flags, u32::from_le_bytes([a, b, c, d]) as usize)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(writer: &mut FrameWriter<Vec<u8>>) {
        while !writer.is_empty() {
            writer.write_some().unwrap();
        }
    }

    #[test]
    fn messages_come_back_whole_and_a_small_one_passes_a_large_one() {
        let mut writer = FrameWriter::new(Vec::new());
        let page = vec![7u8; 3 * PIECE_BYTES + 5];
        writer.push(Stream::Bulk, page.clone()).unwrap();
        writer.write_some().unwrap();
        writer.push(Stream::Ordered, b"progress".to_vec()).unwrap();
        drain(&mut writer);
        let mut reader = FrameReader::new(writer.output.as_slice());
        assert_eq!(reader.read().unwrap().unwrap(), b"progress");
        assert_eq!(reader.read().unwrap().unwrap(), page);
        assert!(reader.read().unwrap().is_none());
    }

    #[test]
    fn an_empty_message_is_a_message() {
        let mut writer = FrameWriter::new(Vec::new());
        writer.push(Stream::Ordered, Vec::new()).unwrap();
        writer.push(Stream::Bulk, Vec::new()).unwrap();
        drain(&mut writer);
        let mut reader = FrameReader::new(writer.output.as_slice());
        assert_eq!(reader.read().unwrap(), Some(Vec::new()));
        assert_eq!(reader.read().unwrap(), Some(Vec::new()));
        assert_eq!(reader.read().unwrap(), None);
    }

    #[test]
    fn a_header_that_claims_too_much_is_refused_before_anything_is_read() {
        let bytes = [LAST, 255, 255, 255, 255, 1, 2, 3];
        let mut reader = FrameReader::with_limit(&bytes[..], 1 << 20);
        assert!(matches!(reader.read(), Err(FrameError::TooLarge(_))));
    }

    #[test]
    fn a_cut_connection_and_strange_bytes_are_told_apart_from_the_end() {
        for cut in [&[LAST, 3, 0][..], &[LAST, 3, 0, 0, 0, 1][..]] {
            assert!(matches!(FrameReader::new(cut).read(), Err(FrameError::Cut)));
        }
        let strange = b"GET / HTTP/1.1\r\n";
        assert!(matches!(FrameReader::new(&strange[..]).read(), Err(FrameError::BadFlags(_))));
        let open = [BULK, 1, 0, 0, 0, 9];
        assert!(matches!(FrameReader::new(&open[..]).read(), Err(FrameError::Cut)));
    }
}
