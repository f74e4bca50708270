//! MATLAB 5 files, as far as arrays of numbers go: what SVHN's hold, and a clear refusal of everything else.
//!
//! Nothing is allocated on a header's word: a variable is a stream, and its length is believed only as far as the
//! bytes in the file could hold it.

use flate2::read::ZlibDecoder;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

use super::DataError;
use super::source::{self, Source};

/// Bytes of the file's header.
const HEADER: u64 = 128;
/// Deflate cannot make less than a 1,032nd of anything.
const RATIO: u64 = 1100;
/// Most variables in a file (SVHN's have two).
const MOST: usize = 64;
/// Most dimensions of an array, and letters of a name.
const DIMENSIONS: u32 = 8;
const LETTERS: u32 = 63;

const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Element types that hold numbers: code and bytes of a number.
const NUMBERS: [(u32, u64); 8] = [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (6, 4), (7, 4), (9, 8)];

/// A numeric array in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its dimensions, the fastest one first.
    pub dims: Vec<u64>,
    /// Type of the stored numbers: 1 to 7 or 9, as in [`Number`].
    kind: u32,
    /// Where its element begins in the file.
    at: u64,
    /// Length of the element in the file, without its tag.
    length: u64,
    /// Whether it is compressed.
    compressed: bool,
    /// Bytes before the numbers, from the beginning of the (unpacked) element.
    skip: u64,
    /// Bytes of the numbers.
    bytes: u64,
}

/// The variables of a file.
pub struct Mat {
    file: PathBuf,
    variables: Vec<Variable>,
}

/// What a variable's bytes are read from.
type Stream = Source<Box<dyn Read>>;

impl Mat {
    /// Reads the headers of a file and of the variables in it.
    ///
    /// # Errors
    /// When it is no such file, or is cut off.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let length = source::length(path)?.unwrap_or(0);
        let mut reader = source::open(path)?;
        header(&mut Source::new(&mut reader, path))?;
        let (mut at, mut variables) = (HEADER, Vec::new());
        while at < length {
            let tag = tag(&mut Source::new(&mut reader, path).from(at))?;
            if tag.small.is_some() || u64::from(tag.bytes) > length - at - 8 {
                let found = format!("an element of {} bytes", tag.bytes);
                return Err(DataError::Damaged { file: path.to_owned(), offset: at, found, expected: format!("at most {}", length - at - 8) });
            }
            let (kind, bytes) = (tag.kind, u64::from(tag.bytes));
            if matches!(kind, MATRIX | COMPRESSED) {
                variables.extend(variable(stream(path, at, bytes, kind == COMPRESSED)?, at, bytes, kind == COMPRESSED)?);
            }
            if variables.len() > MOST {
                return Err(DataError::Damaged {
                    file: path.to_owned(),
                    offset: at,
                    found: "more variables".into(),
                    expected: format!("at most {MOST}"),
                });
            }
            // Elements that are not compressed end at a multiple of 8.
            at += 8 + if kind == COMPRESSED { bytes } else { bytes.next_multiple_of(8) };
            reader.seek(SeekFrom::Start(at)).map_err(|source| DataError::Io { file: path.to_owned(), source })?;
        }
        Ok(Self { file: path.to_owned(), variables })
    }

    /// A variable by its name.
    ///
    /// # Errors
    /// When there is none.
    pub fn variable(&self, name: &str) -> Result<&Variable, DataError> {
        self.variables.iter().find(|variable| variable.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.variables.iter().map(|v| v.name.as_str()).collect();
            let found = if names.is_empty() { "no array of numbers".to_owned() } else { format!("the arrays {}", names.join(", ")) };
            DataError::Damaged { file: self.file.clone(), offset: HEADER, found, expected: format!("an array {name}") }
        })
    }

    /// Something wrong with a variable.
    pub fn wrong(&self, variable: &Variable, found: impl Into<String>, expected: impl Into<String>) -> DataError {
        DataError::Damaged {
            file: self.file.clone(),
            offset: variable.at,
            found: format!("{} of {}", variable.name, found.into()),
            expected: expected.into(),
        }
    }

    /// The bytes of a variable that holds 8-bit numbers, to be read from the first.
    ///
    /// # Errors
    /// When it holds others.
    pub fn bytes(&self, variable: &Variable) -> Result<Stream, DataError> {
        if variable.kind != 2 {
            return Err(self.wrong(variable, format!("type {}", variable.kind), "8-bit numbers"));
        }
        self.data(variable)
    }

    /// Every number of a variable, of any type.
    ///
    /// # Errors
    /// When they are cut off or damaged.
    pub fn numbers(&self, variable: &Variable) -> Result<Vec<f64>, DataError> {
        let mut source = self.data(variable)?;
        let width = width(variable.kind).unwrap_or(1);
        // Grows with what was read.
        let mut numbers = Vec::new();
        for _ in 0..variable.bytes / width {
            let mut raw = [0; 8];
            source.exact(&mut raw[..width as usize], &variable.name)?;
            numbers.push(number(variable.kind, raw));
        }
        finish(&mut source)?;
        Ok(numbers)
    }

    fn data(&self, variable: &Variable) -> Result<Stream, DataError> {
        let mut source = stream(&self.file, variable.at, variable.length, variable.compressed)?;
        let mut before = vec![0; variable.skip as usize];
        source.exact(&mut before, &variable.name)?;
        Ok(source)
    }
}

/// Makes sure that nothing follows the numbers but padding; for compressed ones this checks their sum, too.
pub fn finish(source: &mut Stream) -> Result<(), DataError> {
    source.end(7, "the array")
}

fn width(kind: u32) -> Option<u64> {
    NUMBERS.iter().find(|(code, _)| *code == kind).map(|(_, width)| *width)
}

fn number(kind: u32, raw: [u8; 8]) -> f64 {
    let [a, b, c, d, ..] = raw;
    match kind {
        1 => f64::from(i8::from_le_bytes([a])),
        3 => f64::from(i16::from_le_bytes([a, b])),
        4 => f64::from(u16::from_le_bytes([a, b])),
        5 => f64::from(i32::from_le_bytes([a, b, c, d])),
        6 => f64::from(u32::from_le_bytes([a, b, c, d])),
        7 => f64::from(f32::from_le_bytes([a, b, c, d])),
        9 => f64::from_le_bytes(raw),
        _ => f64::from(a),
    }
}

/// The element at byte `at`: what follows its tag, or what is unpacked from that.
fn stream(path: &Path, at: u64, length: u64, compressed: bool) -> Result<Stream, DataError> {
    let mut reader = source::open(path)?;
    reader.seek(SeekFrom::Start(at + 8)).map_err(|source| DataError::Io { file: path.to_owned(), source })?;
    let part: Take<BufReader<File>> = reader.take(length);
    let reader: Box<dyn Read> = if compressed { Box::new(ZlibDecoder::new(part)) } else { Box::new(part) };
    Ok(if compressed { Source::unpacked(reader, path, at) } else { Source::new(reader, path).from(at + 8) })
}

fn header(source: &mut Source<impl Read>) -> Result<(), DataError> {
    let header: [u8; HEADER as usize] = source.array("the header of a MATLAB 5 file")?;
    match [header[124], header[125], header[126], header[127]] {
        [0, 1, b'I', b'M'] => Ok(()),
        [1, 0, b'M', b'I'] => Err(source.damaged(126, "a big-endian file", "little-endian (IM)")),
        [0, 2, b'I', b'M'] => Err(source.damaged(124, "version 7.3 (HDF5)", "MATLAB 5")),
        _ => Err(source.damaged(124, "no version and byte order of a MATLAB 5 file", "MATLAB 5, little-endian")),
    }
}

/// What stands before an element.
struct Tag {
    kind: u32,
    bytes: u32,
    /// The element itself, when it fits into the tag.
    small: Option<[u8; 4]>,
}

fn tag(source: &mut Source<impl Read>) -> Result<Tag, DataError> {
    let at = source.offset();
    let [a, b, c, d, rest @ ..]: [u8; 8] = source.array("an element's tag")?;
    let (first, second) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes(rest));
    match (first & 0xffff, first >> 16) {
        (kind, 0) => Ok(Tag { kind, bytes: second, small: None }),
        (kind, bytes @ 1..=4) => Ok(Tag { kind, bytes, small: Some(rest) }),
        (_, bytes) => Err(source.damaged(at, format!("a small element of {bytes} bytes"), "at most 4")),
    }
}

/// A short element of a known type, as 8 bytes or less a number of times; at most `most` bytes of it.
fn short(source: &mut Source<impl Read>, kind: u32, most: u32, what: &str) -> Result<Vec<u8>, DataError> {
    let at = source.offset();
    let tag = tag(source)?;
    if tag.kind != kind || tag.bytes > most {
        return Err(source.damaged(at, format!("type {} of {} bytes", tag.kind, tag.bytes), format!("{what}: type {kind} of at most {most} bytes")));
    }
    if let Some(small) = tag.small {
        return Ok(small[..tag.bytes as usize].to_vec());
    }
    let mut bytes = vec![0; tag.bytes.next_multiple_of(8) as usize];
    source.exact(&mut bytes, what)?;
    bytes.truncate(tag.bytes as usize);
    Ok(bytes)
}

/// Reads the headers of the array in an element; `None` for anything but an array of real numbers.
fn variable(mut source: Stream, at: u64, length: u64, compressed: bool) -> Result<Option<Variable>, DataError> {
    let begin = source.offset();
    if compressed && tag(&mut source)?.kind != MATRIX {
        return Ok(None);
    }
    let flags = short(&mut source, 6, 8, "array flags")?;
    let dims_at = source.offset();
    let dims = short(&mut source, 5, 4 * DIMENSIONS, "dimensions")?;
    let name = short(&mut source, 1, LETTERS, "name")?;
    let (class, complex) = (flags.first().copied().unwrap_or(0), flags.get(1).is_some_and(|b| b & 8 != 0));
    // Classes 6 to 15 are the numeric ones, from double to 64-bit integers.
    if !(6..=15).contains(&class) || complex {
        return Ok(None);
    }
    let dims: Vec<u64> = dims.chunks_exact(4).map(|b| u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect();
    let count = dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(dim));
    let data_at = source.offset();
    let data = tag(&mut source)?;
    let skip = if data.small.is_some() { data_at + 4 } else { data_at + 8 } - begin;
    let Some(width) = width(data.kind) else { return Ok(None) };
    let bytes = count.and_then(|count| count.checked_mul(width)).unwrap_or(u64::MAX);
    if dims.len() < 2 || bytes != u64::from(data.bytes) {
        let found = format!("dimensions {dims:?} for {} bytes of type {}", data.bytes, data.kind);
        return Err(source.damaged(dims_at, found, "dimensions and data that agree"));
    }
    let most = if compressed { length.saturating_mul(RATIO) } else { length };
    if bytes > most {
        return Err(source.damaged(data_at, format!("an array of {bytes} bytes in {length}"), format!("at most {most} bytes")));
    }
    let name = String::from_utf8_lossy(&name).into_owned();
    Ok(Some(Variable { name, dims, kind: data.kind, at, length, compressed, skip, bytes }))
}
