//! Archives, unpacked so that nothing lands outside the folder that is meant.

use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};

use super::{FetchError, Form};

/// Most entries of an archive (GTSRB's training images are 39,253).
const ENTRIES: usize = 100_000;
const BUFFER: usize = 64 * 1024;

/// Unpacks `archive` into `folder`, at most `most` bytes of files.
///
/// Files and folders are written, and nothing else: a link, a device, a name that leads out of `folder` and a second
/// entry of the same name are refused. `folder` is best a new one that is dropped on an error.
///
/// # Errors
/// At the first entry that is refused or damaged, and when the disk refuses.
pub fn unpack(archive: &Path, form: Form, folder: &Path, most: u64) -> Result<(), FetchError> {
    let mut room = Room { archive, folder, left: most, entries: 0 };
    let open = || File::open(archive).map_err(|source| FetchError::Disk { file: archive.to_owned(), source, kept: false });
    match form {
        Form::TarGz => room.tar(open()?),
        Form::Zip => room.zip(open()?),
        Form::Plain => {
            let name = archive.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            room.file(&name, &mut open()?)
        }
    }
}

/// Where an archive is unpacked to, and how much may still come.
struct Room<'a> {
    archive: &'a Path,
    folder: &'a Path,
    left: u64,
    entries: usize,
}

impl Room<'_> {
    fn refused(&self, entry: &str, reason: impl ToString) -> FetchError {
        FetchError::Archive { archive: self.archive.to_owned(), entry: entry.to_owned(), reason: reason.to_string() }
    }

    fn tar(&mut self, file: File) -> Result<(), FetchError> {
        // Headers and padding come on top of the files; a bomb in them ends here.
        let bytes = GzDecoder::new(BufReader::with_capacity(BUFFER, file)).take(self.left.saturating_add(256 << 20));
        let mut tar = tar::Archive::new(bytes);
        for entry in tar.entries().map_err(|e| self.refused("the archive", e))? {
            let mut entry = entry.map_err(|e| self.refused("the archive", e))?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            match entry.header().entry_type() {
                tar::EntryType::Regular | tar::EntryType::Continuous => self.file(&name, &mut entry)?,
                tar::EntryType::Directory => self.directory(&name)?,
                tar::EntryType::XGlobalHeader => {}
                other => return Err(self.refused(&name, format!("neither a file nor a folder ({other:?})"))),
            }
        }
        Ok(())
    }

    fn zip(&mut self, file: File) -> Result<(), FetchError> {
        let mut zip = zip::ZipArchive::new(BufReader::with_capacity(BUFFER, file)).map_err(|e| self.refused("the archive", e))?;
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).map_err(|e| self.refused(&format!("entry {index}"), e))?;
            let name = entry.name().map_err(|e| self.refused(&format!("entry {index}"), e))?.into_owned();
            // The mode says what it is: 0o040000 a folder, 0o100000 a file, nothing where it was written on Windows.
            let kind = entry.unix_mode().map_or(0, |mode| mode & 0o170_000);
            match kind {
                0 | 0o100_000 | 0o040_000 if entry.is_dir() => self.directory(&name)?,
                0 | 0o100_000 => self.file(&name, &mut entry)?,
                other => return Err(self.refused(&name, format!("neither a file nor a folder (mode {other:o})"))),
            }
        }
        Ok(())
    }

    /// The place of an entry below the folder; `None` for the folder itself.
    fn place(&mut self, name: &str) -> Result<Option<PathBuf>, FetchError> {
        self.entries += 1;
        if self.entries > ENTRIES {
            return Err(self.refused(name, format!("more than {ENTRIES} entries")));
        }
        let mut place = PathBuf::new();
        for part in Path::new(name).components() {
            match part {
                // On Unix a backslash or a colon is part of a name; elsewhere it leads out.
                Component::Normal(part) if !part.to_string_lossy().contains(['\\', ':', '\0']) => place.push(part),
                Component::CurDir => {}
                _ => return Err(self.refused(name, "leads out of the folder")),
            }
        }
        Ok((!place.as_os_str().is_empty()).then(|| self.folder.join(place)))
    }

    fn directory(&mut self, name: &str) -> Result<(), FetchError> {
        match self.place(name)? {
            Some(place) => self.create(name, &place),
            None => Ok(()),
        }
    }

    /// Creates a folder and those above it.
    fn create(&self, name: &str, folder: &Path) -> Result<(), FetchError> {
        std::fs::create_dir_all(folder).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => self.refused(name, "needs a folder where a file is"),
            _ => FetchError::Disk { file: folder.to_owned(), source, kept: false },
        })
    }

    fn file(&mut self, name: &str, from: &mut dyn Read) -> Result<(), FetchError> {
        let place = self.place(name)?.ok_or_else(|| self.refused(name, "a file without a name"))?;
        self.create(name, place.parent().unwrap_or(self.folder))?;
        let disk = |source| FetchError::Disk { file: place.clone(), source, kept: false };
        let mut to = match File::create_new(&place) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Err(self.refused(name, "is there twice")),
            result => result.map_err(disk)?,
        };
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(self.refused(name, e)),
            };
            self.left = self.left.checked_sub(count as u64).ok_or_else(|| self.refused(name, "more bytes than the set has"))?;
            to.write_all(&buffer[..count]).map_err(disk)?;
        }
        Ok(())
    }
}
