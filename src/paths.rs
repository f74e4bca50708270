//! Where things stand on this machine: configuration, data, runs, what can be found out again.

use directories::ProjectDirs;
use std::path::PathBuf;

/// `TUNEOUT_HOME`, when set, holds `config`, `data`, `runs` and `cache` and takes the place of the platform's directories.
fn home() -> Option<PathBuf> {
    std::env::var_os("TUNEOUT_HOME").filter(|v| !v.is_empty()).map(PathBuf::from)
}

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "tuneout")
}

/// The user's presets, themes and signs.
pub fn config_dir() -> Option<PathBuf> {
    home().map(|h| h.join("config")).or_else(|| project().map(|p| p.config_dir().to_owned()))
}

/// The platform's place for data sets.
pub fn data_dir() -> Option<PathBuf> {
    home().map(|h| h.join("data")).or_else(|| project().map(|p| p.data_dir().to_owned()))
}

/// What can be found out again at any time: the device's speed, drawn images.
pub fn cache_dir() -> Option<PathBuf> {
    home().map(|h| h.join("cache")).or_else(|| project().map(|p| p.cache_dir().to_owned()))
}

/// Run directories: the flag, else `TUNEOUT_RUNS`, else `runs` in the platform's data directory, else `./runs`.
pub fn runs_dir(flag: Option<PathBuf>) -> PathBuf {
    let variable = || std::env::var_os("TUNEOUT_RUNS").filter(|v| !v.is_empty()).map(PathBuf::from);
    let platform = || home().map(|h| h.join("runs")).or_else(|| project().map(|p| p.data_dir().join("runs")));
    flag.or_else(variable).or_else(platform).unwrap_or_else(|| PathBuf::from("runs"))
}
