//! The German Traffic Sign Recognition Benchmark from its official files: PPM pictures of 15 to 250 pixels.

use rayon::prelude::*;
use std::path::{Path, PathBuf};

use super::annotations::{self, Row};
use super::disk::{self, Part, Progress, Store};
use super::signs::SIGNS;
use super::{DataDirs, DataError, Images, Split, order, ppm, resize, source};

const SET: &str = "gtsrb";
/// Folder inside the official archives.
const FOLDER: &str = "GTSRB";
const TRAIN: &str = "Final_Training/Images";
const TEST: &str = "Final_Test/Images";
/// Where the labels of the test images may lie, from the set's folder. The archive of the test images holds a table
/// without labels; these come in an archive of their own, whose file lies beside the folder when it is unpacked there.
const LABELS: [&str; 4] = ["GT-final_test.csv", "Final_Test/GT-final_test.csv", "Final_Test/Images/GT-final_test.csv", "../GT-final_test.csv"];
/// Pictures that are read at a time.
const CHUNK: usize = 512;
/// Largest table and picture that are believed, in bytes.
const LARGEST: u64 = 64 << 20;

/// A picture, and what a table says of it.
struct Item {
    file: PathBuf,
    row: Row,
}

/// GTSRB, found.
pub struct Gtsrb {
    folder: PathBuf,
    size: usize,
}

impl Gtsrb {
    /// Finds its folder; pictures will be resized to `size` pixels a side.
    pub fn find(size: usize, dirs: &DataDirs) -> Result<Self, DataError> {
        let folder = dirs.find(FOLDER, &[TRAIN, TEST]).ok_or_else(|| disk::missing(SET, format!("{FOLDER}/{TRAIN}"), dirs))?;
        Ok(Self { folder, size })
    }

    fn items(&self, part: Part) -> Result<Vec<Item>, DataError> {
        match part {
            Part::Train => self.train(),
            Part::Test => self.test(),
        }
    }

    /// Training pictures. The files have them class by class and drive by drive, so they are put in an order of which
    /// every beginning is a small copy of the whole.
    fn train(&self) -> Result<Vec<Item>, DataError> {
        let mut classes =
            (0..SIGNS.len()).map(|class| self.class(class).map(|items| items.into_iter().map(Some).collect())).collect::<Result<Vec<Vec<_>>, _>>()?;
        let counts: Vec<usize> = classes.iter().map(Vec::len).collect();
        Ok(order::stratified(&counts).into_iter().filter_map(|(class, index)| classes[class][index].take()).collect())
    }

    fn class(&self, class: usize) -> Result<Vec<Item>, DataError> {
        let folder = format!("{TRAIN}/{class:05}");
        let file = format!("{folder}/GT-{class:05}.csv");
        let table = self.folder.join(&file);
        let rows = rows(&table, &file, &self.folder)?;
        if let Some(row) = rows.iter().find(|row| usize::from(row.label) != class) {
            return Err(DataError::Unfit {
                file: table,
                found: format!("{} of class {}", row.name, row.label),
                expected: format!("class {class} only"),
            });
        }
        Ok(items(&self.folder.join(folder), rows))
    }

    /// Test pictures, which are in a random order already.
    fn test(&self) -> Result<Vec<Item>, DataError> {
        let table = LABELS.iter().find(|file| self.folder.join(file).is_file()).unwrap_or(&LABELS[0]);
        Ok(items(&self.folder.join(TEST), rows(&self.folder.join(table), table, &self.folder)?))
    }

    fn pictures(&self, items: &[Item], progress: Progress) -> Result<Split, DataError> {
        let labels = items.iter().map(|item| item.row.label).collect();
        let mut images = Images::with_capacity([3, self.size, self.size], items.len());
        for chunk in items.chunks(CHUNK) {
            let small: Vec<Vec<u8>> = chunk.par_iter().map(|item| item.picture(self.size)).collect::<Result<_, _>>()?;
            small.iter().for_each(|planes| images.push(planes));
            progress(images.len(), items.len());
        }
        Ok(Split { images, labels })
    }
}

impl Store for Gtsrb {
    fn place(&self) -> &Path {
        &self.folder
    }

    fn classes(&self) -> Vec<String> {
        SIGNS.iter().map(|sign| sign.1.to_owned()).collect()
    }

    fn read(&self, part: Part, limit: usize, progress: Progress) -> Result<Split, DataError> {
        let items = self.items(part)?;
        self.pictures(&items[..disk::within(limit, items.len())], progress)
    }

    fn check(&self) -> Result<Vec<String>, DataError> {
        let mut lines = vec![self.folder.display().to_string()];
        for (part, folder) in [(Part::Train, TRAIN), (Part::Test, TEST)] {
            let split = self.read(part, 0, &mut |_, _| {})?;
            lines.push(format!("{folder}: {} pictures, {}, ok", split.len(), disk::spread(&split.labels, SIGNS.len())));
        }
        Ok(lines)
    }
}

fn items(folder: &Path, rows: Vec<Row>) -> Vec<Item> {
    rows.into_iter().map(|row| Item { file: folder.join(&row.name), row }).collect()
}

/// The rows of a table; `name` is its path within the set.
fn rows(table: &Path, name: &str, folder: &Path) -> Result<Vec<Row>, DataError> {
    annotations::parse(&whole(table, name, folder)?, SIGNS.len() as u16, table)
}

/// A whole file of the set.
fn whole(path: &Path, name: &str, folder: &Path) -> Result<Vec<u8>, DataError> {
    let length = source::length(path)?.ok_or_else(|| disk::incomplete(SET, name, folder))?;
    if length > LARGEST {
        let (found, expected) = (format!("{length} bytes"), format!("at most {LARGEST}"));
        return Err(DataError::Damaged { file: path.to_owned(), offset: LARGEST, found, expected });
    }
    std::fs::read(path).map_err(|source| DataError::Io { file: path.to_owned(), source })
}

impl Item {
    /// The picture, resized.
    fn picture(&self, size: usize) -> Result<Vec<u8>, DataError> {
        let folder = self.file.parent().unwrap_or(&self.file);
        let picture = ppm::parse(&whole(&self.file, &self.row.name, folder)?, &self.file)?;
        let (found, stated) = (picture.dimensions(), self.row.size);
        if found != stated {
            let words = |(width, height): (u32, u32)| format!("{width} x {height} pixels");
            let expected = format!("{}, as the table says", words(stated));
            return Err(DataError::Unfit { file: self.file.clone(), found: words(found), expected });
        }
        Ok(resize::square(&picture, size))
    }
}
