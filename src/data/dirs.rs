//! Where data sets on disk are looked for.

use std::path::{Path, PathBuf};

/// Where images come from: folders in which data sets on disk are looked for, the first one first, and one in which drawn
/// images are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataDirs {
    /// The folders, in the order of looking.
    pub dirs: Vec<PathBuf>,
    /// Where drawn images are kept for the next time; none: they are drawn anew.
    pub drawn: Option<PathBuf>,
}

impl DataDirs {
    /// The folder of `--data-dir`, that of `TUNEOUT_DATA`, and the platform's data directory; drawn images in the
    /// platform's cache.
    pub fn resolve(flag: Option<&Path>) -> Self {
        let variable = std::env::var_os("TUNEOUT_DATA").filter(|value| !value.is_empty()).map(PathBuf::from);
        let platform = crate::paths::data_dir();
        let mut dirs: Vec<PathBuf> = Vec::new();
        for dir in flag.map(Path::to_owned).into_iter().chain(variable).chain(platform) {
            if !dirs.contains(&dir) {
                dirs.push(dir);
            }
        }
        Self { dirs, drawn: crate::paths::cache_dir().map(|cache| cache.join("drawn")) }
    }

    /// The folder of a set: one that holds any of `marks`. Each place is tried itself and with `folder`, the name that
    /// the official archive gives, inside it; then every folder in each place, by name, with `folder` inside.
    pub fn find(&self, folder: &str, marks: &[&str]) -> Option<PathBuf> {
        let here = self.dirs.iter().flat_map(|dir| [dir.clone(), dir.join(folder)]);
        let deeper = self.dirs.iter().flat_map(|dir| children(dir)).map(|child| child.join(folder));
        here.chain(deeper).find(|place| marks.iter().any(|mark| place.join(mark).exists()))
    }
}

/// Most entries of a place that are looked at for a set further down.
const MOST: usize = 10_000;

/// Folders in `dir`, by name.
fn children(dir: &Path) -> Vec<PathBuf> {
    // A place that cannot be read holds nothing that can.
    let entries = std::fs::read_dir(dir).into_iter().flatten().take(MOST).flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_found_here_by_their_name_and_one_folder_down() {
        let root = tempfile::tempdir().unwrap();
        let dirs = DataDirs { dirs: vec!["/nowhere/at/all".into(), root.path().to_owned()], ..DataDirs::default() };
        assert_eq!(dirs.find("set", &["a", "b"]), None);
        for inner in ["down/set", "a-first/set", "set", "."] {
            let place = root.path().join(inner);
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join("b"), "").unwrap();
            assert_eq!(dirs.find("set", &["a", "b"]).unwrap().canonicalize().unwrap(), place.canonicalize().unwrap());
        }
    }

    #[test]
    fn the_flag_goes_first_and_once() {
        let flag = Path::new("some/where");
        let dirs = DataDirs::resolve(Some(flag)).dirs;
        assert_eq!(dirs[0], flag);
        assert_eq!(dirs.iter().filter(|dir| *dir == flag).count(), 1);
        assert!(DataDirs::resolve(None).dirs.iter().all(|dir| dir != flag));
    }
}
