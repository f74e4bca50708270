//! Binary PPM pictures (P6, 8 bits), as GTSRB has them.

use ::image::RgbImage;
use std::path::Path;

use super::DataError;

/// Largest width or height, in pixels (GTSRB's are up to 250).
const LARGEST: u32 = 4096;

/// Reads a picture; `file` is named where something is wrong.
pub fn parse(bytes: &[u8], file: &Path) -> Result<RgbImage, DataError> {
    let mut header = Header { bytes, at: 0, file };
    if !bytes.starts_with(b"P6") {
        return Err(header.damaged(0, "another format", "P6"));
    }
    header.at = 2;
    let width = header.number("width", LARGEST)?;
    let height = header.number("height", LARGEST)?;
    let at = header.at;
    let depth = header.number("largest value", u32::from(u16::MAX))?;
    if depth != 255 {
        return Err(header.damaged(at, &format!("a largest value of {depth}"), "255"));
    }
    if !bytes.get(header.at).is_some_and(u8::is_ascii_whitespace) {
        return Err(header.damaged(header.at, &header.here(), "one blank before the pixels"));
    }
    let pixels = &bytes[header.at + 1..];
    let (there, wanted) = (pixels.len(), width as usize * height as usize * 3);
    if there != wanted {
        let at = header.at + 1 + there.min(wanted);
        let found = if there < wanted { "the end of the file" } else { "more bytes" };
        return Err(header.damaged(at, found, &format!("{wanted} bytes for {width} x {height} pixels")));
    }
    // The length was checked: there is always a picture.
    RgbImage::from_raw(width, height, pixels.to_vec()).ok_or_else(|| header.damaged(header.at, "too few bytes", "pixels"))
}

/// The text before the pixels.
struct Header<'a> {
    bytes: &'a [u8],
    at: usize,
    file: &'a Path,
}

impl Header<'_> {
    /// The next number, at most `most` and at least 1, after blanks and comments.
    fn number(&mut self, what: &str, most: u32) -> Result<u32, DataError> {
        let begin = self.at;
        self.blanks();
        if self.at == begin {
            return Err(self.damaged(self.at, &self.here(), &format!("a blank before the {what}")));
        }
        let at = self.at;
        let digits = self.bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += digits;
        let value = std::str::from_utf8(&self.bytes[at..self.at]).ok().and_then(|text| text.parse().ok());
        match value {
            Some(value) if (1..=most).contains(&value) => Ok(value),
            _ if digits > 0 => Err(self.damaged(at, &format!("a {what} of {digits} digits"), &format!("a {what} from 1 to {most}"))),
            _ => Err(self.damaged(at, &self.here(), &format!("a {what} from 1 to {most}"))),
        }
    }

    fn blanks(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'#' => self.at += self.bytes[self.at..].iter().take_while(|b| **b != b'\n').count(),
                _ if byte.is_ascii_whitespace() => self.at += 1,
                _ => break,
            }
        }
    }

    /// What stands at the place reached.
    fn here(&self) -> String {
        self.bytes.get(self.at).map_or_else(|| "the end of the file".to_owned(), |byte| format!("byte 0x{byte:02x}"))
    }

    fn damaged(&self, at: usize, found: &str, expected: &str) -> DataError {
        DataError::Damaged { file: self.file.to_owned(), offset: at as u64, found: found.to_owned(), expected: expected.to_owned() }
    }
}
