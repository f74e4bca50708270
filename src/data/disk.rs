//! Data sets on disk: what each of them can do, and which one belongs to a name.

use super::{DataDirs, DataError, Split, cifar, folder, gtsrb, idx, stl, svhn};
use crate::spec::Data;
use std::path::Path;

/// The two parts of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What a network learns from.
    Train,
    /// What it is judged by.
    Test,
}

impl Part {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

/// Called now and then with images done and images in all.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

/// A data set that was found on disk.
pub trait Store {
    /// Where it lies.
    fn place(&self) -> &Path;

    /// What the labels stand for.
    fn classes(&self) -> Vec<String>;

    /// The first `limit` images of a part, or as many as there are; all of them when `limit` is 0.
    ///
    /// # Errors
    /// At the first thing that is missing or damaged.
    fn read(&self, part: Part, limit: usize, progress: Progress) -> Result<Split, DataError>;

    /// Reads everything; lines for a person, the place first.
    ///
    /// # Errors
    /// At the first thing that is missing or damaged.
    fn check(&self) -> Result<Vec<String>, DataError>;
}

/// Finds a set on disk; `None` for one that is drawn.
///
/// # Errors
/// When it is not there, with the places that were searched.
pub fn open(data: &Data, dirs: &DataDirs) -> Result<Option<Box<dyn Store>>, DataError> {
    Ok(match data {
        Data::Signs(_) | Data::Signs12(_) | Data::Digits(_) => None,
        Data::Cifar10(_) => Some(Box::new(cifar::Cifar::find(&cifar::CIFAR10, dirs)?)),
        Data::Cifar100(_) => Some(Box::new(cifar::Cifar::find(&cifar::CIFAR100, dirs)?)),
        Data::Stl10(settings) => Some(Box::new(stl::Stl::find(settings.size, false, dirs)?)),
        Data::Stl10Unlabeled(settings) => Some(Box::new(stl::Stl::find(settings.size, true, dirs)?)),
        Data::Gtsrb(settings) => Some(Box::new(gtsrb::Gtsrb::find(settings.size, dirs)?)),
        Data::Svhn(_) => Some(Box::new(svhn::Svhn::find(dirs)?)),
        Data::Idx(settings) => Some(Box::new(idx::Idx::find(settings)?)),
        Data::Folder(settings) => Some(Box::new(folder::Folder::find(settings)?)),
    })
}

/// A set that was found nowhere.
pub fn missing(set: &str, file: String, dirs: &DataDirs) -> DataError {
    let hint = format!("`tuneout data fetch {set}` downloads it; or name the folder that holds it with --data-dir");
    DataError::Missing { set: set.to_owned(), file, searched: dirs.dirs.clone(), hint }
}

/// A file that lacks in a set that is there.
pub fn incomplete(set: &str, file: &str, folder: &Path) -> DataError {
    let hint = "The rest of the set is there: unpack the official archive again".to_owned();
    DataError::Missing { set: set.to_owned(), file: file.to_owned(), searched: vec![folder.to_owned()], hint }
}

/// How many images of `there` are taken when `limit` is asked for and 0 means all.
pub fn within(limit: usize, there: usize) -> usize {
    if limit == 0 { there } else { limit.min(there) }
}

/// Words on how a part is spread over its classes: "10 classes, 12 to 34 images each".
pub fn spread(labels: &[u16], classes: usize) -> String {
    let mut counts = vec![0_usize; classes];
    for &label in labels {
        if let Some(count) = counts.get_mut(usize::from(label)) {
            *count += 1;
        }
    }
    let (least, most) = counts.iter().fold((usize::MAX, 0), |(least, most), &count| (least.min(count), most.max(count)));
    format!("{classes} classes of {least} to {most}")
}
