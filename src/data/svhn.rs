//! Street View House Numbers, format 2 (cropped digits), from its official MATLAB files.

use std::path::{Path, PathBuf};

use super::disk::{self, Part, Progress, Store};
use super::mat::{self, Mat};
use super::{DataDirs, DataError, Images, Split, resize, source};

const SET: &str = "svhn";
/// Folder into which `tuneout data fetch` puts the files, which come in no archive.
const FOLDER: &str = "svhn";
const TRAIN: &str = "train_32x32.mat";
const TEST: &str = "test_32x32.mat";
const SIDE: usize = 32;
/// Bytes of an image.
const RECORD: usize = 3 * SIDE * SIDE;
/// How often progress is told, in images.
const CHUNK: usize = 4096;

/// SVHN, found.
pub struct Svhn {
    folder: PathBuf,
}

impl Svhn {
    /// Finds the folder that holds the files.
    pub fn find(dirs: &DataDirs) -> Result<Self, DataError> {
        let folder = dirs.find(FOLDER, &[TRAIN, TEST]).ok_or_else(|| disk::missing(SET, TRAIN.to_owned(), dirs))?;
        Ok(Self { folder })
    }
}

impl Store for Svhn {
    fn place(&self) -> &Path {
        &self.folder
    }

    fn classes(&self) -> Vec<String> {
        (0..10).map(|digit| digit.to_string()).collect()
    }

    fn read(&self, part: Part, limit: usize, progress: Progress) -> Result<Split, DataError> {
        let file = if part == Part::Train { TRAIN } else { TEST };
        let path = self.folder.join(file);
        source::length(&path)?.ok_or_else(|| disk::incomplete(SET, file, &self.folder))?;
        let mat = Mat::open(&path)?;
        let labels = labels(&mat)?;
        let wanted = disk::within(limit, labels.len());
        Ok(Split { images: images(&mat, labels.len(), wanted, progress)?, labels: labels[..wanted].to_vec() })
    }

    fn check(&self) -> Result<Vec<String>, DataError> {
        let mut lines = vec![self.folder.display().to_string()];
        for (part, file) in [(Part::Train, TRAIN), (Part::Test, TEST)] {
            let split = self.read(part, 0, &mut |_, _| {})?;
            lines.push(format!("{file}: {} images, {}, ok", split.len(), disk::spread(&split.labels, 10)));
        }
        Ok(lines)
    }
}

/// The digits: 1 to 9, and 10 for the digit 0.
fn labels(mat: &Mat) -> Result<Vec<u16>, DataError> {
    let y = mat.variable("y")?;
    let long = y.dims.iter().filter(|dim| **dim != 1).count();
    if long > 1 || y.dims.contains(&0) {
        return Err(mat.wrong(y, format!("dimensions {:?}", y.dims), "one column"));
    }
    let digit = |(index, value): (usize, f64)| {
        let found = (1..=10_u16).find(|digit| f64::from(*digit) == value);
        found.map(|digit| digit % 10).ok_or_else(|| mat.wrong(y, format!("{value} in row {index}"), "a label from 1 to 10"))
    };
    mat.numbers(y)?.into_iter().enumerate().map(digit).collect()
}

/// The first `wanted` of `count` images: 32 x 32 x 3 x `count`, columns one after the other.
fn images(mat: &Mat, count: usize, wanted: usize, progress: Progress) -> Result<Images, DataError> {
    let x = mat.variable("X")?;
    let (side, images) = (SIDE as u64, x.dims.get(3).copied().unwrap_or(1));
    if x.dims.get(..3) != Some(&[side, side, 3]) || x.dims.len() > 4 {
        return Err(mat.wrong(x, format!("dimensions {:?}", x.dims), "32 x 32 x 3 x N"));
    }
    if images != count as u64 {
        return Err(mat.wrong(x, format!("{images} images"), format!("{count}, one for each label")));
    }
    let mut source = mat.bytes(x)?;
    let mut out = Images::with_capacity([3, SIDE, SIDE], 0);
    let mut record = vec![0; RECORD];
    for index in 0..wanted {
        source.exact(&mut record, &format!("image {index}"))?;
        out.push(&resize::upright(&record, SIDE));
        if out.len().is_multiple_of(CHUNK) || out.len() == wanted {
            progress(out.len(), wanted);
        }
    }
    if wanted == count {
        mat::finish(&mut source)?;
    }
    Ok(out)
}
