//! Which run directory a user means.

use std::path::{Path, PathBuf};

/// A run that cannot be told from what was given.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is none.
    #[error("there is no run `{name}` in {}; `tuneout runs` lists them", runs.display())]
    Nothing {
        /// What was given.
        name: String,
        /// Where it was looked for.
        runs: PathBuf,
    },
    /// There are several.
    #[error("`{name}` is the beginning of several runs: {}; give more of the name", ids.join(", "))]
    Several {
        /// What was given.
        name: String,
        /// The runs that begin so.
        ids: Vec<String>,
    },
    /// The directory of runs cannot be listed.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
}

/// The run directory that `name` stands for: a path, the name of a run in `runs`, or a beginning that only one has.
///
/// # Errors
/// When there is none, or more than one.
pub fn find(runs: &Path, name: &str) -> Result<PathBuf, FindError> {
    // A shell ends the name of a directory with a stroke.
    let name = name.strip_suffix('/').unwrap_or(name);
    let given = Path::new(name);
    if is_run(given) {
        // Its neighbours are looked for later, and a path such as `.` does not tell them.
        return given.canonicalize().map_err(|source| FindError::Io { path: given.to_owned(), source });
    }
    // A path that leads elsewhere is no name.
    if !name.is_empty() && given.file_name().is_some_and(|last| last == given.as_os_str()) {
        if is_run(&runs.join(name)) {
            return Ok(runs.join(name));
        }
        let mut ids = beginning_with(runs, name)?;
        match ids.len() {
            0 => {}
            1 => return Ok(runs.join(ids.remove(0))),
            _ => return Err(FindError::Several { name: name.to_owned(), ids }),
        }
    }
    Err(FindError::Nothing { name: name.to_owned(), runs: runs.to_owned() })
}

fn is_run(dir: &Path) -> bool {
    dir.join("spec.toml").is_file()
}

fn beginning_with(runs: &Path, name: &str) -> Result<Vec<String>, FindError> {
    let failed = |source| FindError::Io { path: runs.to_owned(), source };
    let entries = match std::fs::read_dir(runs) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut ids = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let id = entry.file_name().to_string_lossy().into_owned();
        if id.starts_with(name) && is_run(&entry.path()) {
            ids.push(id);
        }
    }
    ids.sort();
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_a_beginning_and_a_path_all_lead_there() {
        let runs = tempfile::tempdir().unwrap();
        for id in ["signs-badnets-12", "signs-badnets-ft-34", "signs-badnets-12.steered-1"] {
            std::fs::create_dir(runs.path().join(id)).unwrap();
            std::fs::write(runs.path().join(id).join("spec.toml"), "").unwrap();
        }
        std::fs::create_dir(runs.path().join("signs-badnets-fx")).unwrap();
        let of = |name: &str| find(runs.path(), name).map(|dir| dir.file_name().unwrap().to_string_lossy().into_owned());
        assert_eq!(of("signs-badnets-12").unwrap(), "signs-badnets-12", "a whole name is never a mere beginning");
        assert_eq!(of("signs-badnets-f").unwrap(), "signs-badnets-ft-34", "a directory without settings is no run");
        assert_eq!(of(runs.path().join("signs-badnets-12").to_str().unwrap()).unwrap(), "signs-badnets-12");
        let several = of("signs-badnets-").unwrap_err().to_string();
        assert!(several.contains("several") && several.contains("signs-badnets-ft-34") && several.contains("steered-1"), "{several}");
        for name in ["other", "", "..", ".", "../signs-badnets-12", "signs-badnets-fx"] {
            let message = of(name).unwrap_err().to_string();
            assert!(message.contains("tuneout runs"), "{message}");
        }
        assert!(find(&runs.path().join("nowhere"), "a").unwrap_err().to_string().contains("nowhere"));
    }
}
