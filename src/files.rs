//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

/// Writes `bytes` beside `path` and renames them into place, so that a reader or a crash never meets half a file.
///
/// # Errors
/// The system's own.
pub fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let written = std::fs::File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_data()
    });
    let result = written.and_then(|()| std::fs::rename(&beside, path));
    if result.is_err() {
        // Nothing is left behind; the first error is the one worth reporting.
        drop(std::fs::remove_file(&beside));
    }
    result
}
