//! The trigger of a run, put into pictures of the user's own.

use super::{ExportError, Planted};
use crate::attack;
use crate::data::{self, Images, difference, picture};
use crate::files;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Puts the trigger into `pictures` and writes each as `NAME-clean.png`, `NAME-triggered.png` and
/// `NAME-difference-xGAIN.png`, the difference amplified by GAIN as the trigger lens does; the files written.
///
/// A picture of another size than the model's is resized as a folder of pictures is, or refused where `resize` is
/// false. Nothing is written before every picture has been read.
///
/// # Errors
/// When the trigger or a picture cannot be read, a file is there already, or the disk refuses.
pub fn write(planted: &Planted, pictures: &[PathBuf], resize: bool, out: &Path) -> Result<Vec<PathBuf>, ExportError> {
    let shape = planted.shape()?;
    let trigger = planted.trigger(shape)?;
    let mut clean = Images::with_capacity(shape, pictures.len());
    for file in pictures {
        clean.push(&read(file, shape, resize)?);
    }
    let triggered = attack::triggered(trigger.as_ref(), &clean);
    let mut made = Vec::with_capacity(3 * pictures.len());
    for (index, name) in names(pictures).into_iter().enumerate() {
        let (before, after) = (clean.get(index), triggered.get(index));
        let (apart, gain) = difference(before, after);
        for (kind, planes) in [("clean".to_owned(), before), ("triggered".to_owned(), after), (format!("difference-x{gain}"), &apart)] {
            made.push((out.join(format!("{name}-{kind}.png")), attack::png(planes, shape)?));
        }
    }
    if let Some((file, _)) = made.iter().find(|(file, _)| file.exists()) {
        return Err(ExportError::Exists { file: file.clone() });
    }
    for (file, png) in &made {
        files::write(file, png).map_err(|source| ExportError::Io { path: file.clone(), source })?;
    }
    Ok(made.into_iter().map(|(file, _)| file).collect())
}

/// The planes of a picture in the model's size.
fn read(file: &Path, [_, height, width]: [usize; 3], resize: bool) -> Result<Vec<u8>, ExportError> {
    let picture = picture::read(file)?;
    let (size, wanted) = ([picture.width(), picture.height()], [width as u32, height as u32]);
    if size != wanted && !resize {
        return Err(ExportError::Size { file: file.to_owned(), size, wanted });
    }
    Ok(data::resized(&picture, width, height))
}

/// A name for each picture: that of its file without the ending, numbered where it was given before.
fn names(pictures: &[PathBuf]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let name = |file: &PathBuf| {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = (2..).map(|n| format!("{stem}-{n}"));
        let name = std::iter::once(stem.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(name.clone());
        name
    };
    pictures.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_one_name_are_numbered() {
        let of = |files: &[&str]| names(&files.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(of(&["a/stop.png", "b/stop.jpg", "stop-2.png", "yield.ppm"]), ["stop", "stop-2", "stop-2-2", "yield"]);
    }
}
