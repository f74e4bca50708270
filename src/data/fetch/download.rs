//! One file from a server onto the disk: resumed where it broke off, and checked against its published sums.

use md5::Md5;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::{Archive, FetchError, Progress};

/// Tries in a row that each brought something, before a broken connection is reported.
const TRIES: usize = 5;
/// Longest file of which the length is not published: 1 GB.
const MOST: u64 = 1_000_000_000;
const BUFFER: usize = 64 * 1024;

/// What a server said.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// First byte that it sends, when it sends a part (206).
    pub from: Option<u64>,
    /// Length of the whole file, when it says so.
    pub total: Option<u64>,
    /// The bytes.
    pub body: Box<dyn Read>,
}

/// The way to servers.
pub trait Web {
    /// Asks for a file from byte `from` on.
    ///
    /// # Errors
    /// When the server is not reached, in words.
    fn get(&self, url: &str, from: u64) -> Result<Answer, String>;
}

/// A file on the disk, whole and checked.
pub struct Got {
    /// Where.
    pub path: PathBuf,
    /// Whether it was downloaded by this program, which may then remove it.
    pub ours: bool,
}

/// Downloads `archive` from `url` into `dir`. What is there of it is used: the whole file, or a `.part` of it.
///
/// # Errors
/// When the server, the connection, the disk or the checksum fails.
pub fn download(web: &dyn Web, url: &str, archive: &Archive, dir: &Path, progress: Progress) -> Result<Got, FetchError> {
    let (path, part) = (dir.join(archive.file), dir.join(format!("{}.part", archive.file)));
    if path.is_file() {
        verify(archive, &path, false)?;
        return Ok(Got { path, ours: false });
    }
    for attempt in 1..=TRIES {
        let before = length(&part);
        match receive(web, url, archive, &part, progress) {
            Err(FetchError::Broken { done, .. }) if attempt < TRIES && done > before => {}
            Err(error) => return Err(error),
            Ok(()) => break,
        }
    }
    verify(archive, &part, true)?;
    std::fs::rename(&part, &path).map_err(disk(&path))?;
    Ok(Got { path, ours: true })
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

fn disk(file: &Path) -> impl FnOnce(std::io::Error) -> FetchError + '_ {
    |source| FetchError::Disk { file: file.to_owned(), source, kept: true }
}

/// One request: appends to `part` what it lacks, or writes it anew when the server sends the file from its beginning.
fn receive(web: &dyn Web, url: &str, archive: &Archive, part: &Path, progress: Progress) -> Result<(), FetchError> {
    let there = length(part);
    if archive.bytes.is_some_and(|bytes| there >= bytes) {
        // Whole, or not this file: the checksum tells.
        return Ok(());
    }
    let server = |reason: String| FetchError::Server { url: url.to_owned(), reason };
    let mut answer = web.get(url, there).map_err(server)?;
    let from = match (answer.status, answer.from) {
        (206, Some(from)) if from == there => there,
        (200, _) => 0,
        // It has nothing beyond: whole, or not this file.
        (416, _) if there > 0 => return Ok(()),
        (206, from) => return Err(server(format!("a part from byte {from:?} was sent where {there} was asked for"))),
        (status, _) => return Err(server(format!("the server answers {status}"))),
    };
    let mut file = OpenOptions::new().create(true).write(true).truncate(from == 0).append(from > 0).open(part).map_err(disk(part))?;
    let most = archive.bytes.unwrap_or(MOST);
    let (mut done, mut buffer) = (from, vec![0; BUFFER]);
    let broken = |done, reason: &str| FetchError::Broken { url: url.to_owned(), done, reason: reason.to_owned() };
    loop {
        progress(archive.file, done, answer.total.or(archive.bytes));
        let count = match answer.body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(broken(done, &e.to_string())),
        };
        done += count as u64;
        file.write_all(&buffer[..count]).map_err(disk(part))?;
        if done > most {
            // Not this file; the checksum says so and has it dropped.
            return Ok(());
        }
    }
    match answer.total.or(archive.bytes) {
        Some(total) if done < total => Err(broken(done, &format!("of {total}"))),
        _ => Ok(()),
    }
}

/// Compares a file with its published sums. `ours` is dropped when it is another.
fn verify(archive: &Archive, path: &Path, ours: bool) -> Result<(), FetchError> {
    let mut file = File::open(path).map_err(disk(path))?;
    let (mut md5, mut sha256, mut buffer) = (Md5::new(), Sha256::new(), vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                md5.update(&buffer[..count]);
                sha256.update(&buffer[..count]);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(disk(path)(e)),
        }
    }
    let (md5, sha256) = (hex(&md5.finalize()), hex(&sha256.finalize()));
    for (kind, found, expected) in [("md5", md5, Some(archive.md5)), ("sha256", sha256, archive.sha256)] {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            if ours {
                std::fs::remove_file(path).map_err(disk(path))?;
            }
            return Err(FetchError::Checksum { file: path.to_owned(), kind, found, expected: expected.to_owned(), dropped: ours });
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
