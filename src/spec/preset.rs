//! Presets: named runs in TOML files, embedded in the binary, overridden by the user's own.

use super::error::closest;
use super::{RunSpec, SpecError};
use include_dir::{Dir, DirEntry, include_dir};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets");

/// A named run.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Name, the file's name without `.toml`.
    pub name: String,
    /// One line for lists.
    pub title: String,
    /// A few sentences: what one sees and why it is set so.
    pub about: String,
    /// The run.
    pub spec: RunSpec,
}

/// Where a user's own presets stand: `presets/*.toml` in the configuration directory.
pub fn user_dir() -> Option<PathBuf> {
    crate::paths::config_dir().map(|dir| dir.join("presets"))
}

/// Every preset, the user's before the embedded ones of the same name, sorted by name.
///
/// # Errors
/// When a preset file cannot be read or understood.
pub fn all() -> Result<Vec<Preset>, SpecError> {
    names().into_iter().map(|name| load(&name)).collect()
}

/// The names of every preset.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = embedded().into_iter().map(|(name, _)| name).collect();
    if let Some(entries) = user_dir().and_then(|dir| std::fs::read_dir(dir).ok()) {
        let paths = entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "toml"));
        names.extend(paths.filter_map(|p| Some(p.file_stem()?.to_str()?.to_owned())));
    }
    names.sort();
    names.dedup();
    names
}

/// The preset called `name`, or the one in the file `name` (a path that ends in `.toml`).
///
/// # Errors
/// When there is none, or it cannot be understood.
pub fn load(name: &str) -> Result<Preset, SpecError> {
    resolve(name, 0)
}

/// Reads a preset; `extends = "name"` lays its settings over another preset's.
fn resolve(name: &str, depth: usize) -> Result<Preset, SpecError> {
    let (origin, text) = source(name)?;
    let conflict = |message: &str| SpecError::Conflict { origin: origin.clone(), message: message.to_owned() };
    let mut table = parse(&text, &origin)?;
    let mut words = |key: &str| match table.remove(key) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(conflict(&format!("{key} = {other}: allowed is text"))),
    };
    let (title, about, parent) = (words("title")?, words("about")?, words("extends")?);
    if depth > 8 {
        return Err(conflict("extends: more than eight presets deep, or in a circle"));
    }
    let mut base = if parent.is_empty() { RunSpec::default() } else { resolve(&parent, depth + 1)?.spec };
    if let Some(Value::String(name)) = table.get("scenario") {
        base = base.renamed("scenario", name, &origin)?;
    }
    for section in ["data", "downstream", "model", "attack", "defense"] {
        if let Some(Value::String(name)) = table.get(section).and_then(|s| s.get("name")) {
            base = base.renamed(&format!("{section}.name"), name, &origin)?;
        }
    }
    let spec = RunSpec::from_table(&overlay(base.to_table(), table), &origin)?;
    Ok(Preset { name: stem(name), title, about, spec })
}

fn overlay(mut base: Table, top: Table) -> Table {
    for (key, value) in top {
        let value = match (base.remove(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => Value::Table(overlay(under, over)),
            (_, value) => value,
        };
        base.insert(key, value);
    }
    base
}

fn parse(text: &str, origin: &str) -> Result<Table, SpecError> {
    text.parse().map_err(|e: toml::de::Error| SpecError::Syntax { origin: origin.to_owned(), message: e.to_string().trim_end().to_owned() })
}

fn stem(name: &str) -> String {
    Path::new(name).file_stem().and_then(|s| s.to_str()).unwrap_or(name).to_owned()
}

/// Where a preset comes from, and its text: a path, the user's directory, the binary, in that order.
fn source(name: &str) -> Result<(String, String), SpecError> {
    let file =
        if name.ends_with(".toml") { Some(PathBuf::from(name)) } else { user_dir().map(|d| d.join(format!("{name}.toml"))).filter(|f| f.exists()) };
    if let Some(file) = file {
        let shown = file.display().to_string();
        return match std::fs::read_to_string(&file) {
            Ok(text) => Ok((shown, text)),
            Err(source) => Err(SpecError::Io { file: shown, source }),
        };
    }
    match embedded().into_iter().find(|(n, _)| n == name) {
        Some((_, text)) => Ok((format!("preset {name}"), text.to_owned())),
        None => {
            let names = names();
            Err(SpecError::NoPreset { name: name.to_owned(), close: closest(name, names.iter().map(String::as_str)) })
        }
    }
}

fn embedded() -> Vec<(String, &'static str)> {
    fn walk(dir: &'static Dir<'static>, out: &mut Vec<(String, &'static str)>) {
        for entry in dir.entries() {
            match entry {
                // Figures and sweeps are presets of other kinds: they name runs.
                DirEntry::Dir(inner) if !["figures", "sweeps"].map(Path::new).contains(&inner.path()) => walk(inner, out),
                DirEntry::File(file) if file.path().extension().is_some_and(|e| e == "toml") => {
                    out.extend(file.contents_utf8().map(|text| (stem(&file.path().to_string_lossy()), text)));
                }
                _ => {}
            }
        }
    }
    let mut out = Vec::new();
    walk(&EMBEDDED, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_preset_is_understood_and_explained() {
        let presets = embedded();
        assert!(presets.iter().any(|(name, _)| name == "demo"));
        for (name, _) in presets {
            let preset = load(&name).unwrap_or_else(|e| panic!("{e}"));
            assert!(!preset.title.is_empty() && !preset.about.is_empty(), "{name} is not explained");
        }
    }

    #[test]
    fn a_missing_preset_names_the_nearest() {
        let message = load("dem").unwrap_err().to_string();
        assert!(message.contains("`dem`") && message.contains("did you mean `demo`"), "{message}");
    }

    #[test]
    fn a_file_may_extend_and_must_not_circle() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mine.toml");
        std::fs::write(&file, "extends = \"demo\"\ntitle = \"mine\"\nabout = \"x\"\n[defense]\nname = \"fine-tuning\"\nlr = 0.01\n").unwrap();
        let mine = load(file.to_str().unwrap()).unwrap();
        assert_eq!(mine.spec.attack, load("demo").unwrap().spec.attack);
        assert_eq!(mine.spec.defense.name(), "fine-tuning");
        std::fs::write(&file, format!("extends = {:?}\n", file.to_str().unwrap())).unwrap();
        assert!(load(file.to_str().unwrap()).unwrap_err().to_string().contains("circle"));
    }

    #[test]
    fn a_damaged_file_is_named_with_the_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bad.toml");
        std::fs::write(&file, "seed = 1\n[defense\n").unwrap();
        let message = load(file.to_str().unwrap()).unwrap_err().to_string();
        assert!(message.contains("bad.toml") && message.contains("line 2"), "{message}");
    }
}
