//! Bytes read in order, by a reader that knows where it stands and says so when something is wrong.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::DataError;

/// Bytes that are read ahead from a file.
const BUFFER: usize = 64 * 1024;

/// A file, or what is unpacked from it, read from its beginning.
#[derive(Debug)]
pub struct Source<R> {
    reader: R,
    file: PathBuf,
    offset: u64,
    /// Where in the file the packed data begin, when `offset` counts unpacked bytes.
    packed_at: Option<u64>,
}

/// Opens a file for reading in order.
pub fn open(path: &Path) -> Result<BufReader<File>, DataError> {
    let file = File::open(path).map_err(|source| DataError::Io { file: path.to_owned(), source })?;
    Ok(BufReader::with_capacity(BUFFER, file))
}

/// Length of a file in bytes; `None` where there is none.
pub fn length(path: &Path) -> Result<Option<u64>, DataError> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() => Ok(Some(meta.len())),
        Err(source) if source.kind() != ErrorKind::NotFound => Err(DataError::Io { file: path.to_owned(), source }),
        _ => Ok(None),
    }
}

impl<R: Read> Source<R> {
    /// Reads `file`, whose bytes `reader` gives.
    pub fn new(reader: R, file: &Path) -> Self {
        Self { reader, file: file.to_owned(), offset: 0, packed_at: None }
    }

    /// Reads what `reader` unpacks from the data that begin at byte `at` of `file`.
    pub fn unpacked(reader: R, file: &Path, at: u64) -> Self {
        Self { packed_at: Some(at), ..Self::new(reader, file) }
    }

    /// The same from a later byte, to which the reader was moved.
    pub fn from(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Something wrong at byte `offset` of this source.
    pub fn damaged(&self, offset: u64, found: impl Into<String>, expected: impl Into<String>) -> DataError {
        let (found, expected) = (found.into(), expected.into());
        match self.packed_at {
            None => DataError::Damaged { file: self.file.clone(), offset, found, expected },
            Some(at) => DataError::Damaged { file: self.file.clone(), offset: at, found: format!("unpacked byte {offset}: {found}"), expected },
        }
    }

    /// Fills `buffer`; `what` names what it is part of when the data end before.
    pub fn exact(&mut self, buffer: &mut [u8], what: &str) -> Result<(), DataError> {
        let filled = self.fill(buffer)?;
        if filled < buffer.len() {
            return Err(self.damaged(self.offset, "the end of the file", format!("{} more bytes of {what}", buffer.len() - filled)));
        }
        Ok(())
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], DataError> {
        let mut bytes = [0; N];
        self.exact(&mut bytes, what).map(|()| bytes)
    }

    /// Fills `buffer` as far as the data go; the number of bytes there were.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, DataError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if self.packed_at.is_some() && is_corrupt(error.kind()) => {
                    return Err(self.damaged(self.offset + filled as u64, error.to_string(), "whole packed data"));
                }
                Err(source) => return Err(DataError::Io { file: self.file.clone(), source }),
            }
        }
        self.offset += filled as u64;
        Ok(filled)
    }

    /// Makes sure that nothing follows but at most `padding` bytes; unpacking checks its sum on the way.
    pub fn end(&mut self, padding: usize, what: &str) -> Result<(), DataError> {
        let (at, mut rest) = (self.offset, [0; 16]);
        let more = self.fill(&mut rest[..=padding.min(15)])?;
        if more > padding {
            return Err(self.damaged(at + padding as u64, "more data", format!("the end of {what}")));
        }
        Ok(())
    }
}

/// How unpackers say that their input makes no sense.
fn is_corrupt(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
}
