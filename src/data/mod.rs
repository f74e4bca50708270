//! Data sets: one file per format and per synthetic set; everything ends as a [`Dataset`] of 8-bit images.

mod annotations;
mod assets;
mod cifar;
mod digits;
mod dirs;
mod disk;
mod draw;
mod error;
pub mod fetch;
mod folder;
mod gtsrb;
mod idx;
mod image;
mod mat;
mod order;
pub mod picture;
mod ppm;
mod resize;
mod sheet;
mod signs;
mod source;
mod stl;
mod svhn;
#[cfg(test)]
mod tests;

pub use dirs::DataDirs;
pub use disk::Part;
pub use error::DataError;
pub use image::{Dataset, Images, Normalise, Split, difference};
pub use resize::resized;
pub use sheet::contact_sheet;

use crate::spec::data::{Data, Synthetic};
use draw::Painter;
use std::path::{Path, PathBuf};

/// The usual constants of real sets: CIFAR and GTSRB by BackdoorBench (spec.md 1.1), STL-10 by BadEncoder (spec.md
/// 1.7); SVHN those that most published code uses. For sets of the user's own, 0.5 brings pixels to -1..1.
const CIFAR10: Normalise = Normalise { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.243, 0.261] };
const CIFAR100: Normalise = Normalise { mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] };
const STL10: Normalise = Normalise { mean: [0.4409, 0.4279, 0.3868], std: [0.2551, 0.248, 0.2564] };
const GTSRB: Normalise = Normalise { mean: [0.0; 3], std: [1.0; 3] };
const SVHN: Normalise = Normalise { mean: [0.4377, 0.4438, 0.4728], std: [0.198, 0.201, 0.197] };
const OWN: Normalise = Normalise { mean: [0.5; 3], std: [0.5; 3] };
/// Measured on the drawn sets at their default settings; a test measures them again.
const SIGNS: Normalise = Normalise { mean: [0.386, 0.346, 0.340], std: [0.236, 0.222, 0.240] };
const SIGNS12: Normalise = Normalise { mean: [0.390, 0.336, 0.328], std: [0.237, 0.222, 0.240] };
const DIGITS: Normalise = Normalise { mean: [0.410, 0.387, 0.366], std: [0.254, 0.236, 0.227] };

/// Loads or draws the whole set; `progress(done, total)` is called now and then, with images as the unit.
///
/// # Errors
/// When files are missing or damaged, hold fewer images than asked for, or a sign cannot be drawn.
pub fn load(data: &Data, dirs: &DataDirs, progress: &mut dyn FnMut(usize, usize)) -> Result<Dataset, DataError> {
    let (classes, train, test) = match disk::open(data, dirs)? {
        Some(store) => {
            let (train, test) = data.limits();
            let mut part = |part: Part, limit| store.read(part, limit, progress)?.first(limit, part.name());
            (store.classes(), part(Part::Train, train)?, part(Part::Test, test)?)
        }
        None => {
            let (painter, settings) = painter(data)?;
            let (train, test) = drawn(painter.as_ref(), &settings, dirs.drawn.as_deref(), progress)?;
            (drawn_classes(data), train, test)
        }
    };
    Ok(Dataset { name: data.name().to_owned(), classes, normalise: normalise(data), train, test })
}

/// The first images of a part, at most `count`: quick, for a look before a run.
///
/// # Errors
/// As [`load`], for those images.
pub fn sample(data: &Data, dirs: &DataDirs, part: Part, count: usize) -> Result<Split, DataError> {
    let limit = if part == Part::Train { data.limits().0 } else { data.limits().1 };
    match disk::open(data, dirs)? {
        Some(store) => {
            let limit = disk::within(limit, count);
            // To `read`, 0 means all.
            let split = store.read(part, limit.max(1), &mut |_, _| {})?;
            if limit == 0 { Ok(split.select(&[])) } else { Ok(split) }
        }
        None => {
            let (painter, settings) = painter(data)?;
            Ok(draw::split(painter.as_ref(), &settings, part == Part::Test, count.min(limit).min(MOST), &mut |_| {}))
        }
    }
}

/// The first test images, at most `count`.
///
/// # Errors
/// As [`load`], for the test images.
pub fn preview(data: &Data, dirs: &DataDirs, count: usize) -> Result<Split, DataError> {
    sample(data, dirs, Part::Test, count)
}

/// What the labels stand for, in words, for instance "speed limit 20".
///
/// # Errors
/// When only the files tell, and they are missing or damaged.
pub fn classes(data: &Data, dirs: &DataDirs) -> Result<Vec<String>, DataError> {
    Ok(disk::open(data, dirs)?.map_or_else(|| drawn_classes(data), |store| store.classes()))
}

/// Where a set lies on disk; `None` for one that is drawn. It is not read beyond what finding it takes.
///
/// # Errors
/// When it is not there.
pub fn place(data: &Data, dirs: &DataDirs) -> Result<Option<PathBuf>, DataError> {
    Ok(disk::open(data, dirs)?.map(|store| store.place().to_owned()))
}

/// Input normalisation of a set, without loading it.
pub fn normalise(data: &Data) -> Normalise {
    match data {
        Data::Signs(_) => SIGNS,
        Data::Signs12(_) => SIGNS12,
        Data::Digits(_) => DIGITS,
        Data::Cifar10(_) => CIFAR10,
        Data::Cifar100(_) => CIFAR100,
        Data::Stl10(_) | Data::Stl10Unlabeled(_) => STL10,
        Data::Gtsrb(_) => GTSRB,
        Data::Svhn(_) => SVHN,
        Data::Idx(_) | Data::Folder(_) => OWN,
    }
}

/// Verifies a set: every record of a set on disk, every drawing of a drawn one. Lines for a person to read.
///
/// # Errors
/// At the first thing that is wrong.
pub fn check(data: &Data, dirs: &DataDirs) -> Result<Vec<String>, DataError> {
    if let Some(store) = disk::open(data, dirs)? {
        return store.check();
    }
    let own = match data {
        Data::Signs(_) => signs::own(&(0..signs::SIGNS.len()).collect::<Vec<_>>()),
        Data::Signs12(_) => signs::own(&signs::TWELVE),
        _ => Vec::new(),
    };
    let (set, _) = painter(data)?;
    let mut lines = vec![format!("{}: {} classes drawn, {} of your own, ok", set.name(), set.classes(), own.len())];
    lines.extend(own.into_iter().map(|file| format!("{file}: your own")));
    Ok(lines)
}

/// What draws a set, and how; `digits` for a set on disk, which nobody asks for.
fn painter(data: &Data) -> Result<(Box<dyn Painter>, Synthetic), DataError> {
    let settings = data.synthetic().cloned().unwrap_or_default();
    let painter: Box<dyn Painter> = match data {
        Data::Signs(_) => Box::new(signs::Signs::all()?),
        Data::Signs12(_) => Box::new(signs::Signs::twelve()?),
        _ => Box::new(digits::Digits::render()?),
    };
    Ok((painter, settings))
}

fn drawn_classes(data: &Data) -> Vec<String> {
    match data {
        Data::Signs(_) => signs::SIGNS.iter().map(|sign| sign.1.to_owned()).collect(),
        Data::Signs12(_) => signs::TWELVE.iter().map(|&sign| signs::SIGNS[sign].1.to_owned()).collect(),
        _ => (0..10).map(|digit| digit.to_string()).collect(),
    }
}

/// Most images of a part that are drawn: 3 GB.
const MOST: usize = 1_000_000;

fn drawn(set: &dyn Painter, settings: &Synthetic, cache: Option<&Path>, progress: &mut dyn FnMut(usize, usize)) -> Result<(Split, Split), DataError> {
    for (what, wanted) in [("train", settings.train), ("test", settings.test)] {
        if wanted > MOST {
            return Err(DataError::TooFew { what: what.to_owned(), there: MOST, wanted });
        }
    }
    let total = settings.train + settings.test;
    let train = draw::split_kept(set, settings, false, settings.train, cache, &mut |done| progress(done, total));
    let test = draw::split_kept(set, settings, true, settings.test, cache, &mut |done| progress(settings.train + done, total));
    Ok((train, test))
}
