//! STL-10 in its official binary form: 96 x 96 pixels in three planes whose columns lie one after the other.

use rayon::prelude::*;
use std::path::{Path, PathBuf};

use super::disk::{self, Part, Progress, Store};
use super::source::{self, Source};
use super::{DataDirs, DataError, Images, Split, resize};

const SET: &str = "stl10";
/// Folder inside the official archive.
const FOLDER: &str = "stl10_binary";
/// Class names in the order of the labels, which is not CIFAR-10's.
const CLASSES: [&str; 10] = ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];
const SIDE: usize = 96;
/// Bytes of an image.
const RECORD: usize = 3 * SIDE * SIDE;
/// Images that are held at their full size at a time: 7 MB.
const CHUNK: usize = 256;
/// Most images that are believed of one file (the official ones hold up to 100,000).
const MOST: u64 = 1_000_000;

/// A file of images and that of their labels, where it has one.
type Files = (&'static str, Option<&'static str>);
const TRAIN: Files = ("train_X.bin", Some("train_y.bin"));
const TEST: Files = ("test_X.bin", Some("test_y.bin"));
const UNLABELED: Files = ("unlabeled_X.bin", None);

/// STL-10, found.
pub struct Stl {
    folder: PathBuf,
    size: usize,
    /// Whether the unlabelled images take the place of the training images.
    unlabeled: bool,
}

impl Stl {
    /// Finds the folder that holds the images; they will be resized to `size` pixels a side.
    pub fn find(size: usize, unlabeled: bool, dirs: &DataDirs) -> Result<Self, DataError> {
        let marks = if unlabeled { &[UNLABELED.0][..] } else { &[TRAIN.0, TEST.0] };
        let folder = dirs.find(FOLDER, marks).ok_or_else(|| disk::missing(SET, format!("{FOLDER}/{}", marks[0]), dirs))?;
        Ok(Self { folder, size, unlabeled })
    }

    fn files(&self, part: Part) -> Files {
        match part {
            Part::Train if self.unlabeled => UNLABELED,
            Part::Train => TRAIN,
            Part::Test => TEST,
        }
    }

    /// Length of a file of this set.
    fn length(&self, file: &str) -> Result<u64, DataError> {
        source::length(&self.folder.join(file))?.ok_or_else(|| disk::incomplete(SET, file, &self.folder))
    }

    fn damaged<T>(&self, file: &str, offset: u64, found: String, expected: String) -> Result<T, DataError> {
        Err(DataError::Damaged { file: self.folder.join(file), offset, found, expected })
    }

    /// Images in a part, by the length of its files.
    fn images(&self, (images, labels): Files) -> Result<usize, DataError> {
        let (length, record) = (self.length(images)?, RECORD as u64);
        let (count, rest) = (length / record, length % record);
        if length == 0 || rest != 0 {
            return self.damaged(images, count * record, format!("{rest} bytes before the end of the file"), format!("an image of {RECORD} bytes"));
        }
        if count > MOST {
            return self.damaged(images, MOST * record, "more images".into(), format!("at most {MOST} in a file"));
        }
        if let Some(labels) = labels {
            let there = self.length(labels)?;
            if there != count {
                let expected = format!("{count} labels, one for each image of {images}");
                return self.damaged(labels, there.min(count), format!("{there} bytes"), expected);
            }
        }
        Ok(count as usize)
    }

    /// The first `take` labels: 1 to 10 in the file, 0 to 9 here.
    fn labels(&self, file: &str, take: usize) -> Result<Vec<u16>, DataError> {
        let path = self.folder.join(file);
        let (mut source, mut bytes) = (Source::new(source::open(&path)?, &path), vec![0; take]);
        source.exact(&mut bytes, "the labels")?;
        match bytes.iter().position(|label| !(1..=10).contains(label)) {
            Some(at) => Err(source.damaged(at as u64, format!("label {}", bytes[at]), "a label from 1 to 10")),
            None => Ok(bytes.iter().map(|&label| u16::from(label) - 1).collect()),
        }
    }
}

impl Store for Stl {
    fn place(&self) -> &Path {
        &self.folder
    }

    fn classes(&self) -> Vec<String> {
        CLASSES.iter().map(ToString::to_string).collect()
    }

    fn read(&self, part: Part, limit: usize, progress: Progress) -> Result<Split, DataError> {
        let files = self.files(part);
        let wanted = disk::within(limit, self.images(files)?);
        let labels = files.1.map_or_else(|| Ok(vec![0; wanted]), |file| self.labels(file, wanted))?;
        let path = self.folder.join(files.0);
        let mut source = Source::new(source::open(&path)?, &path);
        let mut images = Images::with_capacity([3, self.size, self.size], wanted);
        let mut chunk = vec![0; wanted.min(CHUNK) * RECORD];
        while images.len() < wanted {
            let count = CHUNK.min(wanted - images.len());
            let bytes = &mut chunk[..count * RECORD];
            source.exact(bytes, &format!("images from number {}", images.len()))?;
            let small: Vec<Vec<u8>> = bytes.par_chunks_exact(RECORD).map(|record| small(record, self.size)).collect();
            small.iter().for_each(|planes| images.push(planes));
            progress(images.len(), wanted);
        }
        Ok(Split { images, labels })
    }

    fn check(&self) -> Result<Vec<String>, DataError> {
        let mut lines = vec![self.folder.display().to_string()];
        for (images, labels) in [TRAIN, TEST] {
            let count = self.images((images, labels))?;
            let labels = labels.map_or_else(|| Ok(Vec::new()), |file| self.labels(file, count))?;
            lines.push(format!("{images}: {count} images, {}, ok", disk::spread(&labels, CLASSES.len())));
        }
        // It has no use for `stl10` itself, and is 2.7 of the 3.1 GB.
        if self.unlabeled || self.folder.join(UNLABELED.0).exists() {
            lines.push(format!("{}: {} images, ok", UNLABELED.0, self.images(UNLABELED)?));
        } else {
            lines.push(format!("{}: not there; stl10-unlabeled needs it", UNLABELED.0));
        }
        Ok(lines)
    }
}

/// An image as the file has it, upright and resized.
fn small(record: &[u8], size: usize) -> Vec<u8> {
    resize::square(&resize::interleaved(&resize::upright(record, SIDE), SIDE), size)
}
