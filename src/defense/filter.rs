//! What AC and Spectral share: what the backdoored model makes of every image, the images that are judged poisoned, and a
//! new network that is trained without them.

use super::reduce::Rows;
use super::{Case, DefenseError, Halt, Watch, at};
use crate::attack::Role;
use crate::data::Images;
use crate::kernel::{Kernels, Train};
use crate::model::{Mode, PreActResNet};
use crate::spec::Stage;
use crate::train::{Batches, Classifier, Learner, Lookup, Sgd, Trainer};
use burn::module::AutodiffModule;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Images a forward pass.
const BATCH: usize = 512;

/// Where in the network one looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// What the classifier sees: the last stage's output, averaged over pixels.
    Pooled,
    /// All of the last stage's output.
    LastStage,
}

/// What `model` makes of `images` in evaluation, one row each.
pub(super) fn activations<B: Kernels>(model: &PreActResNet<B>, layer: Layer, images: &Images, lookup: &Lookup, device: &B::Device) -> Rows<f32> {
    let mut rows = Rows::default();
    for start in (0..images.len()).step_by(BATCH) {
        let x = lookup.plain(images, start..(start + BATCH).min(images.len()), device);
        let seen = match layer {
            Layer::Pooled => model.features(x, Mode::Eval),
            Layer::LastStage => model.last_stage(x, Mode::Eval).flatten(1, 3),
        };
        rows.width = seen.dims()[1];
        rows.values.extend(seen.into_data().convert::<f32>().as_slice::<f32>().unwrap_or_default());
    }
    rows
}

/// One class of the training set, as the attacker labelled it.
pub(super) struct Class {
    /// The class.
    pub(super) label: u16,
    /// Places of its images.
    pub(super) members: Vec<usize>,
    /// What the backdoored model makes of them.
    pub(super) rows: Rows<f32>,
}

/// Words for a reader as a sentence: a capital first, a full stop last.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// Places of the images of each class.
pub(super) fn members(labels: &[u16], classes: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); classes];
    for (place, label) in labels.iter().enumerate() {
        if let Some(class) = members.get_mut(usize::from(*label)) {
            class.push(place);
        }
    }
    members
}

/// Shows `see` every class of the training set in turn.
pub(super) fn classes<B: Train, T>(case: &Case<'_, B>, layer: Layer, watch: &mut Watch<'_>, see: &mut dyn FnMut(Class) -> T) -> Result<Vec<T>, Halt> {
    let (model, split) = (case.model.valid(), case.held());
    let members = members(&split.labels, case.data.classes.len());
    let total = members.len();
    let mut found = Vec::with_capacity(total);
    for (label, members) in members.into_iter().enumerate() {
        at(watch, "classes seen by the backdoored model", label, total)?;
        let rows = activations(&model, layer, &split.images.select(&members), case.lookup, &case.device);
        if !rows.finite() {
            let what = "training of the backdoored model, whose activations are no numbers,".to_owned();
            return Err(DefenseError::Diverged { what, setting: "attack.lr" }.into());
        }
        found.push(see(Class { label: label as u16, members, rows }));
    }
    Ok(found)
}

/// The images that a defense removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Removed {
    /// Their places in the training set, ascending.
    pub(super) removed: Vec<usize>,
}

/// Its file.
const FILE: &str = "removed.json";

impl Removed {
    /// These images of `count`, in any order.
    ///
    /// # Errors
    /// When nothing is left to train on.
    pub(super) fn new(mut removed: Vec<usize>, count: usize, defense: &'static str) -> Result<Self, DefenseError> {
        removed.sort_unstable();
        removed.dedup();
        if removed.len() < count {
            return Ok(Self { removed });
        }
        let message = format!("all of the {count} training images are judged poisoned and none is left to train on; raise data.train");
        Err(DefenseError::Given { defense, message })
    }

    /// The files of `evidence/`.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        vec![(FILE.to_owned(), serde_json::to_vec(self).unwrap_or_default())]
    }

    /// Reads what was removed of `count` images.
    ///
    /// # Errors
    /// When the file is missing, damaged, or of another training set.
    pub(super) fn recall(folder: &Path, count: usize) -> Result<Self, DefenseError> {
        let file = folder.join(FILE);
        let failed = |message: String| DefenseError::Recall { file: file.display().to_string(), message };
        let bytes = std::fs::read(&file).map_err(|e| failed(e.to_string()))?;
        let found: Self = serde_json::from_slice(&bytes).map_err(|e| failed(e.to_string()))?;
        let ascending = found.removed.windows(2).all(|w| w[0] < w[1]);
        if ascending && found.removed.len() < count && found.removed.last().is_none_or(|last| *last < count) {
            return Ok(found);
        }
        Err(failed(format!("it does not name some of {count} images in ascending order")))
    }

    /// The places that stay of `count`.
    pub(super) fn kept(&self, count: usize) -> Vec<usize> {
        (0..count).filter(|i| self.removed.binary_search(i).is_err()).collect()
    }
}

/// A new network, to be trained on the images at the places `kept` (BackdoorBench's recipe; the schedule is the spec's).
pub(super) fn retraining<'s, B: Train>(case: &'s Case<'s, B>, kept: Vec<usize>) -> Box<dyn Learner<B> + 's> {
    Box::new(trained_on(case, kept, Stage::Defense.name()))
}

/// As [`retraining`], with an order of its own for each `purpose`.
pub(super) fn trained_on<'s, B: Train>(case: &'s Case<'s, B>, kept: Vec<usize>, purpose: &'static str) -> Classifier<'s, B> {
    let spec = case.spec;
    let sgd = Sgd::new(spec.defense.momentum, spec.defense.weight_decay);
    let trainer = Trainer { model: case.fresh(), sgd, device: case.device.clone() };
    let steps_per_epoch = spec.steps_per_epoch(Stage::Defense, kept.len());
    let source = Batches::new(case.held(), case.lookup, &spec.augment, spec.defense.batch, spec.seed, purpose).only(kept);
    Classifier { source: Box::new(source), trainer, lookup: case.lookup, steps_per_epoch }
}

/// Which training images truly are poisoned: not for the defense, but for whoever watches it.
pub(super) fn truth<B: Train>(case: &Case<'_, B>) -> Vec<bool> {
    match case.poisoned {
        Some(poisoned) => poisoned.roles.iter().map(|role| *role == Role::Poisoned).collect(),
        None => vec![false; case.held().len()],
    }
}

/// A class as a reader knows it: its number and its name.
pub(super) fn named<B: Train>(case: &Case<'_, B>, label: u16) -> String {
    case.data.classes.get(usize::from(label)).map_or_else(|| format!("class {label}"), |name| format!("class {label} ({name})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_removed_is_read_back_and_a_damaged_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let removed = Removed::new(vec![4, 1, 4], 6, "ac").unwrap();
        assert_eq!((removed.removed.as_slice(), removed.kept(6)), (&[1, 4][..], vec![0, 2, 3, 5]));
        for (name, bytes) in removed.files() {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        assert_eq!(Removed::recall(dir.path(), 6).unwrap(), removed);
        assert!(Removed::recall(dir.path(), 4).unwrap_err().to_string().contains("removed.json"));
        for bad in ["{\"removed\":[3,1]}", "{\"removed\":[1,", "[]"] {
            std::fs::write(dir.path().join(FILE), bad).unwrap();
            let message = Removed::recall(dir.path(), 6).unwrap_err().to_string();
            assert!(message.contains("removed.json") && message.contains("move the run's directory"), "{message}");
        }
        assert!(Removed::new(vec![0, 1], 2, "ac").unwrap_err().to_string().contains("none is left"));
    }

    #[test]
    fn every_image_is_a_member_of_its_label_s_class() {
        assert_eq!(members(&[2, 0, 2, 9], 3), [vec![1], vec![], vec![0, 2]]);
    }
}
