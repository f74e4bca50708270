//! Pictures in a run directory: reversed triggers, and the true one as samples show it.

use super::neural_cleanse::shown;
use crate::data::{difference, picture};
use crate::figure::scene::{Origin, Picture};
use crate::run::evidence::{Evidence, Reversals};
use crate::run::view::RunView;
use std::path::Path;

/// Pictures of what a defense saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pictures {
    /// The label whose reversed trigger is shown.
    pub label: Option<u16>,
    /// Where the reversed trigger lies.
    pub mask: Option<Picture>,
    /// What it paints there.
    pub pattern: Option<Picture>,
    /// A test image with it.
    pub applied: Option<Picture>,
    /// A test image with the true trigger.
    pub sample: Option<Picture>,
    /// What the true trigger changes in it.
    pub truth: Option<Picture>,
    /// What could not be read, and why.
    pub trouble: Option<String>,
}

/// Whether a run has pictures of what its defense saw.
pub fn pictured(view: &RunView) -> bool {
    view.evidence.iter().any(|found| matches!(found, Evidence::Reversals(_) | Evidence::Attention(_)))
}

/// The label whose reversed trigger is shown.
fn reversed(view: &RunView) -> Option<u16> {
    let reversals = |found: &Evidence| if let Evidence::Reversals(found) = found { shown(found).map(|l| l.label) } else { None };
    view.evidence.iter().find_map(reversals)
}

/// Reads the pictures of the run in `dir`. What is missing is left out and said.
pub fn read(dir: &Path, view: &RunView) -> Pictures {
    if !pictured(view) {
        return Pictures::default();
    }
    let label = reversed(view);
    let mut trouble = None;
    let mut take = |file: String| match open(dir, &file, view) {
        Ok(picture) => Some(picture),
        Err(why) => {
            trouble.get_or_insert(why);
            None
        }
    };
    let [mask, pattern, applied] = ["mask", "pattern", "applied"].map(|kind| label.and_then(|label| take(Reversals::file(label, kind))));
    let [clean, sample] = ["clean", "triggered"].map(|kind| take(format!("samples/0-{kind}.png")));
    let truth = clean.zip(sample.clone()).and_then(|(a, b)| apart(&a, b));
    Pictures { label, mask, pattern, applied, sample, truth, trouble }
}

fn open(dir: &Path, file: &str, view: &RunView) -> Result<Picture, String> {
    let rgb = picture::read(&dir.join(file)).map_err(|e| e.to_string())?;
    let origin = Origin { run: view.facts.id.clone(), seed: view.facts.seed, file: file.to_owned(), ..Origin::default() };
    Ok(Picture { width: rgb.width() as usize, height: rgb.height() as usize, rgb: rgb.into_raw(), gain: 1, origin })
}

/// What sets a triggered sample apart from the clean one, amplified as far as nothing clips.
fn apart(clean: &Picture, triggered: Picture) -> Option<Picture> {
    ((clean.width, clean.height) == (triggered.width, triggered.height)).then(|| {
        let (rgb, gain) = difference(&clean.rgb, &triggered.rgb);
        Picture { rgb, gain, ..triggered }
    })
}
