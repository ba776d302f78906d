//! Text as DuckDB reads it: UTF-8. Files in another encoding are written anew into the private spill folder,
//! below their whole path (folders such as `day=1` mean something), where their encoding is certain: they
//! bear a mark, or the source says what they are. Where it is not, that is an error which names the likely one.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::Encoding;

use super::super::{Connection, ErrorKind, Result, StoreError};
use super::encoding::{self, Look};
use super::files::Files;
use super::foreign::{compressed, head};
use super::{SourceFormat, SourceSpec};
use crate::util::cancel::Cancel;
use crate::util::{figures, globs};

/// Bytes at the beginning of a file that are looked at.
const LOOKED_AT: u64 = 1 << 16;
/// Files of one source that are looked at; of more, those that come first by name.
const MOST_FILES: usize = 1_000;
/// Folder of copies in the spill folder.
const COPIES: &str = "plain-";

static MADE: AtomicU64 = AtomicU64::new(0);

/// The encoding that a source names, `None` for UTF-8 and where none is named.
pub(super) fn said(spec: &SourceSpec) -> Result<Option<&'static Encoding>> {
    let Some(label) = &spec.encoding else { return Ok(None) };
    match encoding::named(label) {
        Some(encoding) => Ok(Some(encoding).filter(|encoding| *encoding != encoding_rs::UTF_8)),
        None => Err(StoreError::new(ErrorKind::Usage, format!("there is no encoding `{label}`"))
            .hint(encoding::NAMES)),
    }
}

impl Connection {
    /// The files as DuckDB takes them, and what there is to say of those that had to be written anew.
    pub(super) fn as_utf8(
        &self,
        spec: &SourceSpec,
        files: Files,
        cancel: &Cancel,
    ) -> Result<(Files, Option<String>)> {
        let text = matches!(files.format, SourceFormat::Csv | SourceFormat::Json);
        let encoding = said(spec)?;
        if !text || files.remote {
            return match encoding {
                Some(_) if text => {
                    Err(StoreError::new(ErrorKind::Usage, "the encoding of remote files cannot be changed")
                        .hint("copy them here first"))
                }
                Some(_) => Err(StoreError::new(
                    ErrorKind::Usage,
                    format!("the option encoding does not apply to {} files", files.format.name()),
                )),
                None => Ok((files, None)),
            };
        }
        let list = self.matching(files.paths.iter())?;
        let mut foreign = Vec::new();
        for file in list.iter().take(MOST_FILES) {
            cancel.check()?;
            // Whoever leaves out what does not fit leaves out such lines too, and is told how many.
            foreign.push(match looked(file, encoding) {
                Err(_) if spec.ignore_errors => None,
                found => found?,
            });
        }
        if encoding.is_none() && foreign.iter().all(Option::is_none) {
            return Ok((files, None));
        }
        foreign.resize(list.len(), encoding);
        let folder = self.spill_folder().join(format!("{COPIES}{}", MADE.fetch_add(1, Ordering::Relaxed)));
        let (mut paths, mut unreadable) = (Vec::new(), 0);
        for (file, encoding) in list.iter().zip(foreign) {
            cancel.check()?;
            let path = match encoding {
                None => file.clone(),
                Some(encoding) => {
                    let (copy, lost) = written_anew(file, encoding, &folder)?;
                    unreadable += lost;
                    copy
                }
            };
            paths.push(globs::escape(&path.to_string_lossy()));
        }
        let note = (unreadable > 0).then(|| {
            let name = encoding.map_or("their encoding", Encoding::name);
            let places = figures::plural(unreadable, "place is", "places are");
            format!("{places} no {name} and became U+FFFD")
        });
        Ok((Files { paths, ..files }, note))
    }
}

/// The encoding to decode a file from; `None` where it is UTF-8.
fn looked(file: &Path, said: Option<&'static Encoding>) -> Result<Option<&'static Encoding>> {
    let Ok(opened) = open(file) else { return Ok(said) };
    let mut bytes = Vec::new();
    // What cannot be unpacked is told by whoever looks whether it is whole.
    let _ = opened.take(LOOKED_AT).read_to_end(&mut bytes);
    let whole = (bytes.len() as u64) < LOOKED_AT;
    match (encoding::look(&bytes, whole), said) {
        (Look::Marked(encoding), _) => Ok(Some(encoding)),
        (_, Some(encoding)) => Ok(Some(encoding)),
        (Look::Utf8, None) => Ok(None),
        // DuckDB reads a NUL as it reads any character.
        (Look::Binary, None) => Ok(None),
        (Look::Other { line, likely }, None) => {
            Err(no_utf8(file, line, likely, "`encoding: NAME` among the source's options"))
        }
    }
}

/// An error that says from which line on a file is no UTF-8, what it looks like and how to say so.
pub(super) fn no_utf8(file: &Path, line: u64, likely: &str, how: &str) -> StoreError {
    let name = file.display();
    let message = format!("{name} is no UTF-8 (line {line}): it looks like {likely}");
    let convert = format!("iconv -f {likely} -t UTF-8");
    StoreError::new(ErrorKind::Data, message)
        .hint(format!("say {}, or convert it ({convert})", how.replace("NAME", &likely.to_lowercase())))
}

/// The text of a file, unpacked and decoded; `None` where it is a table of another kind or no text.
pub fn read_text(file: &Path, encoding: Option<&str>) -> Result<Option<String>> {
    let spec = SourceSpec { encoding: encoding.map(str::to_owned), ..SourceSpec::default() };
    let encoding = said(&spec)?;
    let first = head(file);
    if super::foreign::of(&first).is_some() || super::foreign::certain(&first).is_some() {
        return Ok(None);
    }
    let broken = |error: std::io::Error| {
        let what = if compressed(&first).is_some() { "is not whole" } else { "cannot be read" };
        StoreError::new(ErrorKind::Data, format!("{} {what}: {error}", file.display()))
            .hint("copy or write it again, and check its permissions")
    };
    let mut bytes = Vec::new();
    open(file).map_err(broken)?.read_to_end(&mut bytes).map_err(broken)?;
    let encoding = match (encoding::look(&bytes, true), encoding) {
        (Look::Binary, _) => return Ok(None),
        (Look::Marked(encoding), _) => encoding,
        (_, Some(encoding)) => encoding,
        (Look::Utf8, None) => {
            let text = String::from_utf8(bytes).unwrap_or_default();
            return Ok(Some(match text.strip_prefix('\u{feff}') {
                Some(rest) => rest.to_owned(),
                None => text,
            }));
        }
        (Look::Other { line, likely }, None) => {
            return Err(no_utf8(file, line, likely, "`encoding: NAME` among the source's options"));
        }
    };
    match encoding::decoded(&bytes, encoding) {
        (text, 0) => Ok(Some(text)),
        (_, places) => {
            let places = figures::plural(places, "place", "places");
            Err(StoreError::new(
                ErrorKind::Data,
                format!("{} is no {}: {places}", file.display(), encoding.name()),
            )
            .hint(format!("say another encoding: {}", encoding::NAMES)))
        }
    }
}

/// A file as it is when unpacked.
pub(super) fn open(file: &Path) -> std::io::Result<Box<dyn Read>> {
    let opened = BufReader::with_capacity(1 << 16, File::open(file)?);
    Ok(match compressed(&head(file)) {
        Some(".gz") => Box::new(flate2::read::MultiGzDecoder::new(opened)),
        Some(_) => Box::new(Frames { input: Some(opened), decoder: None }),
        None => Box::new(opened),
    })
}

/// Every frame of a .zst file; the decoder itself ends with the first.
struct Frames {
    input: Option<BufReader<File>>,
    decoder: Option<ruzstd::decoding::StreamingDecoder<BufReader<File>, ruzstd::decoding::FrameDecoder>>,
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                match decoder.read(buffer)? {
                    0 => self.input = self.decoder.take().map(|decoder| decoder.into_inner()),
                    read => return Ok(read),
                }
            }
            let Some(mut input) = self.input.take() else { return Ok(0) };
            if std::io::BufRead::fill_buf(&mut input)?.is_empty() {
                return Ok(0);
            }
            let decoder = ruzstd::decoding::StreamingDecoder::new(input).map_err(std::io::Error::other)?;
            self.decoder = Some(decoder);
        }
    }
}

fn written_anew(file: &Path, encoding: &'static Encoding, folder: &Path) -> Result<(PathBuf, u64)> {
    let mut copy = folder.join(file.strip_prefix("/").unwrap_or(file));
    if compressed(&head(file)).is_some() {
        copy.set_extension("");
    }
    let fail = |error: std::io::Error| {
        StoreError::new(ErrorKind::Disk, format!("cannot write {} anew as UTF-8: {error}", file.display()))
            .hint("free disk space, or convert it to UTF-8 beforehand (iconv)")
    };
    fs::create_dir_all(copy.parent().unwrap_or(folder)).map_err(fail)?;
    let mut out = BufWriter::with_capacity(1 << 18, File::create(&copy).map_err(fail)?);
    let input = open(file).map_err(fail)?;
    let lost = encoding::transcode(input, encoding, &mut out).map_err(fail)?;
    out.flush().map_err(fail)?;
    Ok((copy, lost))
}

/// A message with the names of copies put back to those of the files.
pub(crate) fn with_own_names(message: &str) -> String {
    let (mut out, mut rest) = (String::new(), message);
    while let Some(at) = rest.find(COPIES) {
        let (before, copy) = rest.split_at(at);
        let number = copy[COPIES.len()..].find('/').map(|end| COPIES.len() + end);
        let spill = before
            .rfind("/recscope-spill-")
            .filter(|from| !before[from + 1..].trim_end_matches('/').contains('/'));
        let (Some(end), Some(spill)) = (number, spill) else {
            out.push_str(before);
            out.push_str(COPIES);
            rest = &copy[COPIES.len()..];
            continue;
        };
        // The spill folder's own path begins after a blank or a quote.
        let from = before[..spill].rfind([' ', '"', '\'', '\n', '[']).map_or(0, |at| at + 1);
        out.push_str(&before[..from]);
        rest = &copy[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_told_by_the_names_of_their_files() {
        let told = with_own_names(
            "/tmp/recscope-spill-x1/plain-3/data/a b/gbk.csv: line 2\nsee \"/tmp/recscope-spill-x1/plain-3/data/z.csv\"",
        );
        assert_eq!(told, "/data/a b/gbk.csv: line 2\nsee \"/data/z.csv\"");
        assert_eq!(with_own_names("explain-3/x plain-text"), "explain-3/x plain-text");
    }

    #[test]
    fn every_frame_of_a_zst_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zst");
        let frame = |text: &str| {
            ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
        };
        fs::write(&path, [frame("one\n"), frame("two\n")].concat()).unwrap();
        let mut text = String::new();
        open(&path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }
}
