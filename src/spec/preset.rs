//! Presets: named runs in TOML files, embedded in the binary, overridden by the user's own. One file may stand for
//! many (`family`).

use super::error::closest;
use super::{RunSpec, SpecError, family};
use include_dir::{Dir, DirEntry, include_dir};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets");

/// A named run.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Name, the file's name without `.toml`; in a family with what is chosen at its end.
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

/// Every preset, the user's instead of the embedded ones of the same name, in the order of lists: by scenario; in each,
/// what draws its own images before what needs files, small networks before large ones; then by name.
///
/// # Errors
/// When a preset file cannot be read or understood.
pub fn all() -> Result<Vec<Preset>, SpecError> {
    match usable() {
        (presets, None) => Ok(presets),
        (_, Some(error)) => Err(error),
    }
}

/// As [`all`], without those that cannot be used, and what is wrong with the first of these.
pub fn usable() -> (Vec<Preset>, Option<SpecError>) {
    let shelf = Shelf::read();
    let (mut presets, mut trouble) = (Vec::new(), None);
    for name in shelf.names() {
        match shelf.load(&name) {
            Ok(preset) => presets.push(preset),
            Err(error) => trouble = trouble.or(Some(error)),
        }
    }
    let width = |p: &Preset| p.spec.model.stages().widths.iter().sum::<usize>();
    presets.sort_by_cached_key(|p| (p.spec.scenario as usize, p.spec.data.synthetic().is_none(), width(p), p.name.clone()));
    (presets, trouble)
}

/// The preset called `name`, or the one in the file `name` (a path that ends in `.toml`).
///
/// # Errors
/// When there is none, or it cannot be understood.
pub fn load(name: &str) -> Result<Preset, SpecError> {
    Shelf::read().load(name)
}

/// A preset before it is read: its file, and what is chosen of the file's variants.
#[derive(Clone)]
struct Source {
    name: String,
    /// As messages name it.
    origin: String,
    text: Text,
    chosen: Vec<String>,
}

#[derive(Clone)]
enum Text {
    Embedded(&'static str),
    File(PathBuf),
}

impl Source {
    fn file(path: PathBuf) -> Self {
        Self { name: stem(&path), origin: path.display().to_string(), text: Text::File(path), chosen: Vec::new() }
    }

    fn table(&self) -> Result<Table, SpecError> {
        let text = match &self.text {
            Text::Embedded(text) => Cow::Borrowed(*text),
            Text::File(path) => Cow::Owned(std::fs::read_to_string(path).map_err(|source| SpecError::Io { file: self.origin.clone(), source })?),
        };
        text.parse().map_err(|e: toml::de::Error| SpecError::Syntax { origin: self.origin.clone(), message: e.to_string().trim_end().to_owned() })
    }

    /// The presets that its file stands for; a file that cannot be read stands for one, which then says why.
    fn presets(self) -> Vec<Self> {
        let choices = self.table().ok().and_then(|table| family::choices(&table).ok()).unwrap_or_default();
        if choices.is_empty() {
            return vec![self];
        }
        choices.into_iter().map(|chosen| Self { name: family::name(&self.name, &chosen), chosen, ..self.clone() }).collect()
    }

    fn conflict(&self, message: String) -> SpecError {
        SpecError::Conflict { origin: self.origin.clone(), message }
    }
}

/// Every preset that can be had by name, the user's first.
struct Shelf(Vec<Source>);

impl Shelf {
    fn read() -> Self {
        let toml = |path: &Path| path.extension().is_some_and(|e| e == "toml");
        let entries = user_dir().and_then(|dir| std::fs::read_dir(dir).ok()).into_iter().flatten().flatten();
        let own = entries.map(|e| e.path()).filter(|path| toml(path)).map(Source::file);
        let embedded = embedded().into_iter().map(|(name, text)| {
            let origin = format!("preset {name}");
            Source { name, origin, text: Text::Embedded(text), chosen: Vec::new() }
        });
        Self(own.chain(embedded).flat_map(Source::presets).collect())
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.iter().map(|source| source.name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn find(&self, name: &str) -> Result<Source, SpecError> {
        if name.ends_with(".toml") {
            return Ok(Source::file(PathBuf::from(name)));
        }
        let found = self.0.iter().find(|source| source.name == name).cloned();
        found.ok_or_else(|| {
            let names = self.names();
            let begins = || names.iter().find(|other| other.starts_with(name)).cloned();
            SpecError::NoPreset { name: name.to_owned(), close: closest(name, names.iter().map(String::as_str)).or_else(begins) }
        })
    }

    fn load(&self, name: &str) -> Result<Preset, SpecError> {
        self.resolve(&self.find(name)?, 0)
    }

    /// Reads a preset; `extends = "name"` lays its settings over another preset's.
    fn resolve(&self, source: &Source, depth: usize) -> Result<Preset, SpecError> {
        let mut table = source.table()?;
        let chosen = family::take(&mut table, &source.chosen).map_err(|message| source.conflict(message))?;
        let mut words = |key: &str| family::words(&mut table, key).map_err(|message| source.conflict(message));
        let (title, about, parent) = (words("title")?, words("about")?, words("extends")?);
        if depth > 8 {
            return Err(source.conflict("extends: more than eight presets deep, or in a circle".to_owned()));
        }
        let base = if parent.is_empty() { RunSpec::default() } else { self.resolve(&self.find(&parent)?, depth + 1)?.spec };
        let spec = std::iter::once(table).chain(chosen.settings).try_fold(base, |spec, table| laid_over(spec, table, &source.origin))?;
        let cell = joined(&chosen.titles, ", ");
        let title = if cell.is_empty() { title } else { format!("{title}: {cell}") };
        let about = joined(&[&[about][..], &chosen.abouts].concat(), " ");
        Ok(Preset { name: source.name.clone(), title, about, spec })
    }
}

/// `spec` with the settings of `table` laid over it, names first.
fn laid_over(mut spec: RunSpec, table: Table, origin: &str) -> Result<RunSpec, SpecError> {
    if let Some(Value::String(name)) = table.get("scenario") {
        spec = spec.renamed("scenario", name, origin)?;
    }
    for section in ["data", "downstream", "model", "attack", "defense"] {
        if let Some(Value::String(name)) = table.get(section).and_then(|s| s.get("name")) {
            spec = spec.renamed(&format!("{section}.name"), name, origin)?;
        }
    }
    RunSpec::from_table(&overlay(spec.to_table(), table), origin)
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

/// The texts that say something, one after the other.
fn joined(texts: &[String], between: &str) -> String {
    texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(between)
}

fn stem(path: &Path) -> String {
    path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned()
}

fn embedded() -> Vec<(String, &'static str)> {
    fn walk(dir: &'static Dir<'static>, out: &mut Vec<(String, &'static str)>) {
        for entry in dir.entries() {
            match entry {
                // Figures and sweeps are presets of other kinds: they name runs.
                DirEntry::Dir(inner) if !["figures", "sweeps"].map(Path::new).contains(&inner.path()) => walk(inner, out),
                DirEntry::File(file) if file.path().extension().is_some_and(|e| e == "toml") => {
                    out.extend(file.contents_utf8().map(|text| (stem(file.path()), text)));
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
        let shelf = Shelf::read();
        assert!(shelf.names().iter().any(|name| name == "demo"));
        for name in shelf.names() {
            let preset = shelf.load(&name).unwrap_or_else(|e| panic!("{e}"));
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
