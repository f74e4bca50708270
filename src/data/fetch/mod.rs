//! Official files, fetched at the user's wish: downloaded with resume, checked, unpacked, put in place as a whole.

mod download;
mod error;
mod sources;
mod unpack;
#[cfg(feature = "download")]
mod web;

pub use error::FetchError;
pub use sources::{Archive, Form, SOURCES, Source, find};
pub use unpack::unpack;

use super::{DataDirs, check};
use crate::spec::Data;
use std::path::{Path, PathBuf};

/// Called now and then with a file's name, its bytes on disk, and its length where it is known.
pub type Progress<'a> = &'a mut dyn FnMut(&str, u64, Option<u64>);

/// Fetches the set of `data` into the first folder of `dirs`, from its official address or from `mirror`, which must
/// hold the same files. Returns what there is to tell.
///
/// # Errors
/// When there is nothing to fetch, something is in the way, or anything on the way fails.
pub fn fetch(data: &Data, mirror: Option<&str>, dirs: &DataDirs, progress: Progress) -> Result<Vec<String>, FetchError> {
    let source = find(data.name()).ok_or_else(|| nothing(data))?;
    from_source(source, data, mirror, dirs, progress)
}

/// As [`fetch`], from a source that need not be the official one.
///
/// # Errors
/// As [`fetch`].
pub fn from_source(source: &Source, data: &Data, mirror: Option<&str>, dirs: &DataDirs, progress: Progress) -> Result<Vec<String>, FetchError> {
    let dir = dirs.dirs.first().ok_or(FetchError::NoFolder)?.clone();
    let (folder, here) = (dir.join(source.folder), DataDirs { dirs: vec![dir.clone()], ..DataDirs::default() });
    if folder.exists() {
        let whole = check(data, &here).map_err(|e| FetchError::InTheWay { folder: folder.clone(), reason: e.to_string() })?;
        return Ok([vec!["it is there already:".to_owned()], whole].concat());
    }
    std::fs::create_dir_all(&dir).map_err(|e| FetchError::Disk { file: dir.clone(), source: e, kept: false })?;
    let base = mirror.unwrap_or(source.base).trim_end_matches('/');
    let web = web(base, &dir)?;
    let mut files = Vec::new();
    for archive in source.archives {
        let got = download::download(web.as_ref(), &format!("{base}/{}", archive.file), archive, &dir, progress)?;
        files.push((archive, got));
    }
    let beside = Beside::new(&dir, source.names[0])?;
    for (archive, got) in &files {
        unpack(&got.path, archive.form, &beside.0.join(archive.into), source.most)?;
    }
    let disk = |e| FetchError::Disk { file: folder.clone(), source: e, kept: true };
    std::fs::rename(beside.0.join(source.folder), &folder).map_err(disk)?;
    // Now that the set is in place, its archives are of no use. One that the user had put there is theirs.
    for (_, got) in files.iter().filter(|(_, got)| got.ours) {
        drop(std::fs::remove_file(&got.path));
    }
    Ok(check(data, &here)?)
}

#[cfg(feature = "download")]
fn web(_base: &str, _dir: &Path) -> Result<Box<dyn download::Web>, FetchError> {
    Ok(Box::new(web::Http::new()))
}

#[cfg(not(feature = "download"))]
fn web(base: &str, dir: &Path) -> Result<Box<dyn download::Web>, FetchError> {
    Err(FetchError::NoNetwork { url: base.to_owned(), dir: dir.to_owned() })
}

fn nothing(data: &Data) -> FetchError {
    let reason = match data {
        Data::Idx(_) => "any IDX pair is read from data.path; Fashion-MNIST is Debian's package dataset-fashion-mnist",
        Data::Folder(_) => "these are your own pictures, read from data.path",
        _ => "it is drawn by the program, there is nothing to fetch",
    };
    FetchError::Nothing { name: data.name().to_owned(), reason: reason.to_owned() }
}

/// A new folder beside the others, which is removed with what is left in it.
struct Beside(PathBuf);

impl Beside {
    fn new(dir: &Path, name: &str) -> Result<Self, FetchError> {
        let folder = dir.join(format!(".{name}.unpacking.{}", std::process::id()));
        std::fs::create_dir(&folder).map_err(|e| FetchError::Disk { file: folder.clone(), source: e, kept: true })?;
        Ok(Self(folder))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // What cannot be removed is hidden and harms nothing.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
