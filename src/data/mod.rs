//! Data sets: one file per format and per synthetic set; everything ends as a [`Dataset`] of 8-bit images.

mod assets;
mod cifar;
mod digits;
mod dirs;
mod draw;
mod error;
mod image;
mod sheet;
mod signs;
#[cfg(test)]
mod tests;

pub use dirs::DataDirs;
pub use error::DataError;
pub use image::{Dataset, Images, Normalise, Split};
pub use sheet::contact_sheet;

use crate::spec::data::{Data, Files, Synthetic};
use draw::Painter;

/// CIFAR-10's usual constants (spec.md 1.1).
const CIFAR10: Normalise = Normalise { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.243, 0.261] };
/// Measured on the drawn sets at their default settings; a test measures them again.
const SIGNS: Normalise = Normalise { mean: [0.386, 0.346, 0.340], std: [0.236, 0.222, 0.240] };
const SIGNS12: Normalise = Normalise { mean: [0.390, 0.336, 0.328], std: [0.237, 0.222, 0.240] };
const DIGITS: Normalise = Normalise { mean: [0.410, 0.387, 0.366], std: [0.254, 0.236, 0.227] };

/// Loads or draws the whole set; `progress(done, total)` is called now and then, with images as the unit.
///
/// # Errors
/// When files are missing or damaged, hold fewer images than asked for, or a sign cannot be drawn.
pub fn load(data: &Data, dirs: &DataDirs, progress: &mut dyn FnMut(usize, usize)) -> Result<Dataset, DataError> {
    let (train, test) = match data {
        Data::Cifar10(files) => cifar10(files, dirs, progress)?,
        Data::Signs(settings) => drawn(&signs::Signs::all()?, settings, progress)?,
        Data::Signs12(settings) => drawn(&signs::Signs::twelve()?, settings, progress)?,
        Data::Digits(settings) => drawn(&digits::Digits::render()?, settings, progress)?,
    };
    Ok(Dataset { name: data.name().to_owned(), classes: classes(data), normalise: normalise(data), train, test })
}

/// The first test images, at most `count`: quick, for a look at a trigger before a run.
///
/// # Errors
/// As [`load`], for the test images.
pub fn preview(data: &Data, dirs: &DataDirs, count: usize) -> Result<Split, DataError> {
    let few = |settings: &Synthetic| count.min(settings.test).min(MOST);
    match data {
        Data::Cifar10(files) => {
            let limit = if files.test == 0 { count } else { count.min(files.test) };
            // To `read`, 0 means all.
            let split = cifar::read(&cifar::folder(dirs)?, &cifar::TEST, limit.max(1), &mut |_, _| {})?;
            if limit == 0 { Ok(split.select(&[])) } else { Ok(split) }
        }
        Data::Signs(settings) => Ok(draw::split(&signs::Signs::all()?, settings, true, few(settings), &mut |_| {})),
        Data::Signs12(settings) => Ok(draw::split(&signs::Signs::twelve()?, settings, true, few(settings), &mut |_| {})),
        Data::Digits(settings) => Ok(draw::split(&digits::Digits::render()?, settings, true, few(settings), &mut |_| {})),
    }
}

/// What the labels stand for, in words, for instance "speed limit 20".
pub fn classes(data: &Data) -> Vec<String> {
    match data {
        Data::Cifar10(_) => cifar::CLASSES.iter().map(ToString::to_string).collect(),
        Data::Signs(_) => signs::SIGNS.iter().map(|sign| sign.1.to_owned()).collect(),
        Data::Signs12(_) => signs::TWELVE.iter().map(|&sign| signs::SIGNS[sign].1.to_owned()).collect(),
        Data::Digits(_) => (0..10).map(|digit| digit.to_string()).collect(),
    }
}

/// Input normalisation of a set, without loading it.
pub fn normalise(data: &Data) -> Normalise {
    match data {
        Data::Cifar10(_) => CIFAR10,
        Data::Signs(_) => SIGNS,
        Data::Signs12(_) => SIGNS12,
        Data::Digits(_) => DIGITS,
    }
}

/// Verifies a set: every record of a set on disk, every drawing of a drawn one. Lines for a person to read.
///
/// # Errors
/// At the first thing that is wrong.
pub fn check(data: &Data, dirs: &DataDirs) -> Result<Vec<String>, DataError> {
    match data {
        Data::Cifar10(_) => cifar::check(dirs),
        Data::Signs(_) => signs::Signs::all().map(|set| checked(&set, signs::own(&(0..43).collect::<Vec<_>>()))),
        Data::Signs12(_) => signs::Signs::twelve().map(|set| checked(&set, signs::own(&signs::TWELVE))),
        Data::Digits(_) => digits::Digits::render().map(|set| checked(&set, Vec::new())),
    }
}

fn checked(set: &dyn Painter, own: Vec<String>) -> Vec<String> {
    let mut lines = vec![format!("{}: {} classes drawn, {} of your own, ok", set.name(), set.classes(), own.len())];
    lines.extend(own.into_iter().map(|file| format!("{file}: your own")));
    lines
}

fn cifar10(files: &Files, dirs: &DataDirs, progress: &mut dyn FnMut(usize, usize)) -> Result<(Split, Split), DataError> {
    let folder = cifar::folder(dirs)?;
    let train = cifar::read(&folder, &cifar::TRAIN, files.train, progress)?.first(files.train, "train")?;
    let test = cifar::read(&folder, &cifar::TEST, files.test, progress)?.first(files.test, "test")?;
    Ok((train, test))
}

/// Most images of a part that are drawn: 3 GB.
const MOST: usize = 1_000_000;

fn drawn(set: &dyn Painter, settings: &Synthetic, progress: &mut dyn FnMut(usize, usize)) -> Result<(Split, Split), DataError> {
    for (what, wanted) in [("train", settings.train), ("test", settings.test)] {
        if wanted > MOST {
            return Err(DataError::TooFew { what: what.to_owned(), there: MOST, wanted });
        }
    }
    let total = settings.train + settings.test;
    let train = draw::split(set, settings, false, settings.train, &mut |done| progress(done, total));
    let test = draw::split(set, settings, true, settings.test, &mut |done| progress(settings.train + done, total));
    Ok((train, test))
}
