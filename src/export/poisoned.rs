//! The poisoned set of a run as folders of PNG pictures that any program reads.
//!
//! ```text
//! DIR/ train/LABEL/INDEX.png   labels as trained on: poisoned images stand under the target
//!      test/LABEL/INDEX.png    triggered test images that count for ASR, under their true label
//!      reference.png           the image that BadEncoder's trigger stands for
//!      index.csv, index.jsonl  a line for each picture; written last
//! ```
//! Numbers are padded with zeros, so that their order is that of the names.

use super::csv::line;
use super::{ExportError, Planted};
use crate::attack::{self, Attack, Role};
use crate::data::{self, DataDirs, Dataset, Images};
use crate::files;
use crate::spec::{Data, Trigger};
use rayon::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Names of the index's columns. `label` is what the model was taught, or for a test image what the attacker wants;
/// `role` is `poisoned`, `cross` (under a wrong trigger, with its own label), `clean` or `reference`.
pub const COLUMNS: [&str; 8] = ["file", "split", "index", "true_label", "label", "role", "true_class", "class"];

/// Pictures between two reports of progress.
const CHUNK: usize = 1024;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The training set.
    pub train: bool,
    /// The triggered test images.
    pub test: bool,
    /// Of the training set the triggered and relabelled images alone.
    pub only_poisoned: bool,
}

/// How many pictures were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Training images, triggered.
    pub poisoned: usize,
    /// Training images under a wrong trigger.
    pub cross: usize,
    /// Training images as they are.
    pub clean: usize,
    /// Test images, triggered.
    pub test: usize,
}

/// Called now and then with what is going on, parts done and parts in all.
pub type Progress<'a> = &'a mut dyn FnMut(&str, usize, usize);

/// One picture.
struct Row {
    file: String,
    split: &'static str,
    index: usize,
    true_label: u16,
    label: u16,
    role: &'static str,
}

/// Pictures of one folder and what their labels stand for.
struct Part {
    images: Images,
    rows: Vec<Row>,
    classes: Vec<String>,
}

/// Writes the poisoned set of `planted` into `out`, which must be empty or not there. Drawn images are drawn again,
/// others are read from `dirs`, and must be those that the run saw.
///
/// # Errors
/// When images or trigger cannot be had, or the disk refuses; what was written is then taken away again.
pub fn write(planted: &Planted, dirs: &DataDirs, wanted: Wanted, out: &Path, progress: Progress) -> Result<Written, ExportError> {
    empty(out)?;
    let parts = parts(planted, dirs, wanted, progress)?;
    let written = fill(&parts, out, progress);
    if written.is_err() {
        // All of it is ours: the directory was empty. The first error is the one worth reporting.
        for name in ["train", "test"] {
            drop(std::fs::remove_dir_all(out.join(name)));
        }
        for name in ["reference.png", "index.csv", "index.jsonl"] {
            drop(std::fs::remove_file(out.join(name)));
        }
    }
    written?;
    let count = |split: &str, role: Role| parts.iter().flat_map(|p| &p.rows).filter(|r| r.split == split && r.role == role.name()).count();
    Ok(Written {
        poisoned: count("train", Role::Poisoned),
        cross: count("train", Role::Cross),
        clean: count("train", Role::Clean),
        test: count("test", Role::Poisoned),
    })
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ExportError + '_ {
    |source| ExportError::Io { path: path.to_owned(), source }
}

/// Makes sure that there is nothing in `out`.
fn empty(out: &Path) -> Result<(), ExportError> {
    match std::fs::read_dir(out) {
        Ok(mut entries) => entries.next().map_or(Ok(()), |_| Err(ExportError::NotEmpty { dir: out.to_owned() })),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(io(out)(e)),
    }
}

/// The images of a set, which must be those of hash `then` where it is given.
fn load(planted: &Planted, data: &Data, dirs: &DataDirs, then: Option<&str>, progress: Progress) -> Result<Dataset, ExportError> {
    let what = format!("images of {}", data.name());
    let set = data::load(data, dirs, &mut |done, total| progress(&what, done, total))?;
    let now = set.fingerprint();
    match then {
        Some(then) if then != now => {
            Err(ExportError::OtherImages { set: data.name().to_owned(), id: planted.run.id.clone(), now, then: then.to_owned() })
        }
        _ => Ok(set),
    }
}

fn parts(planted: &Planted, dirs: &DataDirs, wanted: Wanted, progress: Progress) -> Result<Vec<Part>, ExportError> {
    let (spec, facts) = (&planted.run.spec, &planted.run.view.facts);
    if let (Trigger::Badencoder(settings), Some(second)) = (&spec.attack.trigger, &spec.downstream) {
        let shadow = load(planted, &spec.data, dirs, None, progress)?;
        let second = load(planted, second, dirs, Some(&facts.fingerprint), progress)?;
        let trigger = planted.trigger(shadow.train.images.shape)?;
        return encoder_parts(planted, trigger.as_ref(), settings.reference, &shadow, &second, wanted);
    }
    let data = load(planted, &spec.data, dirs, Some(&facts.fingerprint), progress)?;
    let trigger = planted.trigger(data.train.images.shape)?;
    let mut parts = Vec::new();
    if wanted.train {
        parts.push(train(trigger.as_ref(), planted, &data, wanted.only_poisoned));
    }
    if wanted.test {
        let target = spec.attack.target;
        let victims = (0..data.test.len()).filter(|&i| data.test.labels[i] != target).collect();
        parts.push(test(trigger.as_ref(), target, &data, victims));
    }
    Ok(parts)
}

/// The training set as the attack leaves it.
fn train(trigger: &dyn Attack, planted: &Planted, data: &Dataset, only_poisoned: bool) -> Part {
    let spec = &planted.run.spec;
    let made = attack::poison(trigger, &spec.attack, &data.train, spec.seed);
    let places: Vec<usize> = (0..made.roles.len()).filter(|&i| !only_poisoned || made.roles[i] == Role::Poisoned).collect();
    let row = |&i: &usize| {
        let label = made.split.labels[i];
        Row {
            file: file("train", label, data, i, made.roles.len()),
            split: "train",
            index: i,
            true_label: data.train.labels[i],
            label,
            role: made.roles[i].name(),
        }
    };
    Part { images: made.split.images.select(&places), rows: places.iter().map(row).collect(), classes: data.classes.clone() }
}

/// The triggered test images at `places`.
fn test(trigger: &dyn Attack, target: u16, data: &Dataset, places: Vec<usize>) -> Part {
    let row = |&i: &usize| {
        let true_label = data.test.labels[i];
        let file = file("test", true_label, data, i, data.test.len());
        Row { file, split: "test", index: i, true_label, label: target, role: Role::Poisoned.name() }
    };
    let images = attack::triggered(trigger, &data.test.images.select(&places));
    Part { images, rows: places.iter().map(row).collect(), classes: data.classes.clone() }
}

/// BadEncoder poisons no labelled set (spec.md 1.7): the trigger is put into every shadow image, which keeps its label,
/// and stands for one reference image. All images of the second task's test count.
fn encoder_parts(
    planted: &Planted,
    trigger: &dyn Attack,
    reference: usize,
    shadow: &Dataset,
    second: &Dataset,
    wanted: Wanted,
) -> Result<Vec<Part>, ExportError> {
    let target = planted.run.spec.attack.target;
    let mut parts = Vec::new();
    if wanted.train {
        let labels = &shadow.train.labels;
        let row = |i: usize| {
            let file = file("train", labels[i], shadow, i, labels.len());
            Row { file, split: "train", index: i, true_label: labels[i], label: labels[i], role: Role::Poisoned.name() }
        };
        let images = attack::triggered(trigger, &shadow.train.images);
        parts.push(Part { images, rows: (0..labels.len()).map(row).collect(), classes: shadow.classes.clone() });
        let picture = data::picture::read(&planted.run.dir.join("trigger/reference.png"))?;
        let [_, height, width] = shadow.train.images.shape;
        let images = Images { shape: shadow.train.images.shape, pixels: data::resized(&picture, width, height) };
        let row =
            Row { file: "reference.png".to_owned(), split: "reference", index: reference, true_label: target, label: target, role: "reference" };
        parts.push(Part { images, rows: vec![row], classes: second.classes.clone() });
    }
    if wanted.test {
        parts.push(test(trigger, target, second, (0..second.test.len()).collect()));
    }
    Ok(parts)
}

/// Where a picture goes: `train/03/00042.png`.
fn file(split: &str, label: u16, data: &Dataset, index: usize, count: usize) -> String {
    let digits = |largest: usize| largest.saturating_sub(1).to_string().len();
    format!("{split}/{label:0label_digits$}/{index:0digits$}.png", label_digits = digits(data.classes.len()), digits = digits(count))
}

/// Writes every picture, then the index.
fn fill(parts: &[Part], out: &Path, progress: Progress) -> Result<(), ExportError> {
    let files = parts.iter().flat_map(|p| &p.rows).map(|r| out.join(&r.file));
    let folders: BTreeSet<PathBuf> = files.filter_map(|file| file.parent().map(Path::to_owned)).collect();
    for folder in folders.iter().chain([&out.to_owned()]) {
        std::fs::create_dir_all(folder).map_err(io(folder))?;
    }
    let (total, mut done) = (parts.iter().map(|p| p.rows.len()).sum(), 0);
    for part in parts {
        let numbered: Vec<(usize, &Row)> = part.rows.iter().enumerate().collect();
        for chunk in numbered.chunks(CHUNK) {
            chunk.par_iter().try_for_each(|(at, row)| picture(part, *at, &out.join(&row.file)))?;
            done += chunk.len();
            progress("pictures", done, total);
        }
    }
    let (mut csv, mut jsonl) = (line(COLUMNS), String::new());
    for part in parts {
        for row in &part.rows {
            let fields = fields(row, part);
            csv.push_str(&line(fields.clone()));
            let [file, split, _, _, _, role, true_class, class] = fields;
            let value = json!({
                "file": file, "split": split, "index": row.index, "true_label": row.true_label, "label": row.label,
                "role": role, "true_class": true_class, "class": class,
            });
            jsonl.push_str(&format!("{value}\n"));
        }
    }
    for (name, text) in [("index.csv", csv), ("index.jsonl", jsonl)] {
        let path = out.join(name);
        files::write(&path, text.as_bytes()).map_err(io(&path))?;
    }
    Ok(())
}

fn picture(part: &Part, at: usize, file: &Path) -> Result<(), ExportError> {
    let png = attack::png(part.images.get(at), part.images.shape)?;
    std::fs::write(file, png).map_err(io(file))
}

fn fields(row: &Row, part: &Part) -> [String; 8] {
    let class = |label: u16| part.classes.get(usize::from(label)).cloned().unwrap_or_default();
    [
        row.file.clone(),
        row.split.to_owned(),
        row.index.to_string(),
        row.true_label.to_string(),
        row.label.to_string(),
        row.role.to_owned(),
        class(row.true_label),
        class(row.label),
    ]
}
