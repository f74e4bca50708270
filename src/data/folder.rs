//! Pictures in a folder for each class.

use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::disk::{self, Part, Progress, Store};
use super::{DataError, Images, Split, order, picture, resize};
use crate::spec::Located;

const SET: &str = "folder";
/// Endings of files that are read, in small letters.
const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "ppm"];
/// Without a division of its own, every fifth picture of a class is for the test.
const FIFTH: usize = 5;
/// Pictures that are read at a time.
const CHUNK: usize = 256;
/// Most classes: what `attack.target` can name.
const MOST: usize = 1000;

/// Pictures of each class, by name.
type Classes = BTreeMap<String, Vec<PathBuf>>;

/// A folder of pictures, found.
pub struct Folder {
    path: PathBuf,
    size: usize,
    classes: Vec<String>,
    /// Pictures of each class, in the order of `classes`.
    train: Vec<Vec<PathBuf>>,
    test: Vec<Vec<PathBuf>>,
}

impl Folder {
    /// Lists the pictures: `train/CLASS` and `test/CLASS`, or `CLASS` alone, of which every fifth picture is for the
    /// test.
    pub fn find(settings: &Located) -> Result<Self, DataError> {
        let path = PathBuf::from(&settings.path);
        if settings.path.is_empty() || !path.is_dir() {
            let hint = "data.path names it: a folder for each class, or the folders train and test with such folders".to_owned();
            let file = if settings.path.is_empty() { "the folder".to_owned() } else { settings.path.clone() };
            return Err(DataError::Missing { set: SET.into(), file, searched: vec![path], hint });
        }
        let divided = path.join("train").is_dir();
        let train = listing(&if divided { path.join("train") } else { path.clone() })?;
        let classes: Vec<String> = train.keys().cloned().collect();
        let unfit = |found: String, expected: &str| Err(DataError::Unfit { file: path.clone(), found, expected: expected.to_owned() });
        if !(2..=MOST).contains(&classes.len()) {
            return unfit(format!("{} folders with pictures", classes.len()), "2 to 1000, one for each class");
        }
        let (train, test) = if divided {
            let mut test = listing(&path.join("test"))?;
            if let Some(class) = test.keys().find(|class| !train.contains_key(*class)) {
                return unfit(format!("test/{class} without train/{class}"), "the classes of train");
            }
            let of = |class: &String| test.remove(class).unwrap_or_default();
            let test = classes.iter().map(of).collect();
            (train.into_values().collect(), test)
        } else {
            train.into_values().map(halves).unzip()
        };
        let set = Self { path, size: settings.size, classes, train, test };
        if set.test.iter().all(Vec::is_empty) {
            let expected = "pictures in test, or at least 5 of a class";
            return Err(DataError::Unfit { file: set.path, found: "no picture for the test".into(), expected: expected.into() });
        }
        Ok(set)
    }
}

impl Store for Folder {
    fn place(&self) -> &Path {
        &self.path
    }

    fn classes(&self) -> Vec<String> {
        self.classes.clone()
    }

    fn read(&self, part: Part, limit: usize, progress: Progress) -> Result<Split, DataError> {
        let files = if part == Part::Train { &self.train } else { &self.test };
        let counts: Vec<usize> = files.iter().map(Vec::len).collect();
        // Sorted by class as they are, the first pictures would be of one class.
        let mut order = order::stratified(&counts);
        order.truncate(disk::within(limit, order.len()));
        let mut images = Images::with_capacity([3, self.size, self.size], 0);
        for chunk in order.chunks(CHUNK) {
            let read = |&(class, index): &(usize, usize)| picture::read(&files[class][index]).map(|picture| resize::square(&picture, self.size));
            let small: Vec<Vec<u8>> = chunk.par_iter().map(read).collect::<Result<_, _>>()?;
            small.iter().for_each(|planes| images.push(planes));
            progress(images.len(), order.len());
        }
        Ok(Split { images, labels: order.iter().map(|&(class, _)| class as u16).collect() })
    }

    fn check(&self) -> Result<Vec<String>, DataError> {
        let mut lines = vec![self.path.display().to_string()];
        for part in [Part::Train, Part::Test] {
            let split = self.read(part, 0, &mut |_, _| {})?;
            lines.push(format!("{}: {} pictures, {}, ok", part.name(), split.len(), disk::spread(&split.labels, self.classes.len())));
        }
        Ok(lines)
    }
}

/// Four fifths for training, every fifth for the test.
fn halves(files: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let (test, train): (Vec<_>, Vec<_>) = files.into_iter().enumerate().partition(|(index, _)| index % FIFTH == FIFTH - 1);
    let plain = |part: Vec<(usize, PathBuf)>| part.into_iter().map(|(_, file)| file).collect();
    (plain(train), plain(test))
}

/// Folders that hold pictures, by name, each with its pictures by name. Hidden ones are left out.
fn listing(folder: &Path) -> Result<Classes, DataError> {
    let mut classes = Classes::new();
    for (name, class) in entries(folder)?.into_iter().filter(|(_, path)| path.is_dir()) {
        let ending = |path: &Path| path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let mut files: Vec<_> = entries(&class)?.into_iter().map(|(_, path)| path).filter(|path| ENDINGS.contains(&ending(path).as_str())).collect();
        files.sort();
        if !files.is_empty() {
            classes.insert(name, files);
        }
    }
    Ok(classes)
}

fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let failed = |source| DataError::Io { file: folder.to_owned(), source };
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            out.push((name, entry.path()));
        }
    }
    Ok(out)
}
