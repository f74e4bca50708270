//! GTSRB's tables of images: a line each, fields separated by semicolons.

use std::path::Path;

use super::DataError;

/// The first line of every table.
const HEADER: &str = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId";
/// Fields after the name: width, height, the region of the sign (unused here), the class.
const NUMBERS: [&str; 7] = ["Width", "Height", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId"];
/// Largest number in any field.
const LARGEST: u32 = 65_535;

/// A line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The image's file.
    pub name: String,
    /// Its width and height in pixels.
    pub size: (u32, u32),
    /// Its class.
    pub label: u16,
}

/// Reads a table of images of classes below `classes`; `file` is named where something is wrong.
///
/// # Errors
/// At the first field that makes no sense, and when there is no image.
pub fn parse(bytes: &[u8], classes: u16, file: &Path) -> Result<Vec<Row>, DataError> {
    let mut rows = Vec::new();
    let mut at = 0;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let place = Place { file, offset: at, line: number + 1 };
        at += line.len();
        let text = std::str::from_utf8(line).map_err(|e| place.damaged(e.valid_up_to(), "bytes that are no text", "text"))?;
        let text = text.trim_end_matches(['\n', '\r']);
        if number == 0 {
            if !text.trim_start_matches('\u{feff}').eq_ignore_ascii_case(HEADER) {
                return Err(place.damaged(0, &shortened(text), HEADER));
            }
        } else if !text.trim().is_empty() {
            rows.push(row(text, classes, &place)?);
        }
    }
    if rows.is_empty() {
        let place = Place { file, offset: at, line: 2 };
        return Err(place.damaged(0, "the end of the file", if at == 0 { HEADER } else { "a line for each image" }));
    }
    Ok(rows)
}

fn row(text: &str, classes: u16, place: &Place) -> Result<Row, DataError> {
    let mut fields = text.split(';');
    let name = fields.next().unwrap_or_default();
    // A name that leads elsewhere would have files read that are no part of the set.
    let plain = name.len() <= 255 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if !plain || !name.ends_with(".ppm") || name.starts_with('.') {
        return Err(place.damaged(0, &shortened(name), "the name of a .ppm file"));
    }
    let (mut numbers, mut at) = ([0_u32; NUMBERS.len()], name.len());
    for (number, what) in numbers.iter_mut().zip(NUMBERS) {
        let Some(field) = fields.next() else {
            return Err(place.damaged(at, "the end of the line", &format!("; and {what}")));
        };
        at += 1;
        let most = if what == "ClassId" { u32::from(classes) - 1 } else { LARGEST };
        let value = field.trim().parse().ok().filter(|value| *value <= most);
        *number = value.ok_or_else(|| place.damaged(at, &format!("{what} {}", shortened(field)), &format!("a number from 0 to {most}")))?;
        at += field.len();
    }
    if fields.next().is_some() {
        return Err(place.damaged(at, "another field", "the end of the line"));
    }
    let [width, height, .., label] = numbers;
    Ok(Row { name: name.to_owned(), size: (width, height), label: label as u16 })
}

/// Where in a table.
struct Place<'a> {
    file: &'a Path,
    /// Byte at which the line begins.
    offset: usize,
    line: usize,
}

impl Place<'_> {
    fn damaged(&self, column: usize, found: &str, expected: &str) -> DataError {
        DataError::Damaged {
            file: self.file.to_owned(),
            offset: (self.offset + column) as u64,
            found: format!("line {}: {found}", self.line),
            expected: expected.to_owned(),
        }
    }
}

/// At most 40 letters of what stands there, in quotes.
fn shortened(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    format!("{short:?}{}", if short.len() < text.len() { "..." } else { "" })
}
