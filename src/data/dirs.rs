//! Where data sets on disk are looked for.

use std::path::{Path, PathBuf};

/// Folders in which data sets on disk are looked for, the first one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataDirs {
    /// The folders, in the order of looking.
    pub dirs: Vec<PathBuf>,
}

impl DataDirs {
    /// The folder of `--data-dir`, that of `TUNEOUT_DATA`, and the platform's data directory.
    pub fn resolve(flag: Option<&Path>) -> Self {
        let variable = std::env::var_os("TUNEOUT_DATA").filter(|value| !value.is_empty()).map(PathBuf::from);
        let platform = crate::paths::data_dir();
        let mut dirs: Vec<PathBuf> = Vec::new();
        for dir in flag.map(Path::to_owned).into_iter().chain(variable).chain(platform) {
            if !dirs.contains(&dir) {
                dirs.push(dir);
            }
        }
        Self { dirs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_goes_first_and_once() {
        let flag = Path::new("some/where");
        let dirs = DataDirs::resolve(Some(flag)).dirs;
        assert_eq!(dirs[0], flag);
        assert_eq!(dirs.iter().filter(|dir| *dir == flag).count(), 1);
        assert!(DataDirs::resolve(None).dirs.iter().all(|dir| dir != flag));
    }
}
