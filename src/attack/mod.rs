//! Attacks: one file each behind one trait, and the poisoned training set (spec.md section 1).

pub mod badencoder;
mod badnets;
mod blended;
mod input_aware;
mod lf;
mod picture;
mod poison;
mod universal;
mod wanet;

pub use input_aware::{InputAware, apply, check_size, diversity, threshold};
pub use picture::png;
pub use poison::{Poisoned, Role, cross_count, draw_roles, poison};
pub use universal::universal;
pub use wanet::Wanet;

use crate::data::Images;
use crate::kernel::Kernels;
use crate::spec::{self, Trigger};
use crate::train::Lookup;
use crate::train::checkpoint::Files;
use std::path::Path;

/// An attack that cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum AttackError {
    /// The picture of Blended cannot be read.
    #[error("attack.image = \"{file}\": {message}; give a PNG or JPEG file, or leave it empty for a drawn one")]
    Picture {
        /// The file.
        file: String,
        /// Why.
        message: String,
    },
    /// A stored trigger cannot be read.
    #[error("{file}: {message}; move the run's directory away to compute the attack anew")]
    Trigger {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// There is no such reference image.
    #[error("attack.reference = {wanted}: there are {there} training images of the class {class} in the second task, counted from 0")]
    Reference {
        /// Which one was asked for.
        wanted: usize,
        /// The target class.
        class: String,
        /// How many there are.
        there: usize,
    },
    /// Images of a size that the attack cannot do.
    #[error("attack.name = \"{attack}\": {message}")]
    Size {
        /// The attack.
        attack: &'static str,
        /// What is allowed.
        message: String,
    },
}

/// What an attack does to images.
pub trait Attack {
    /// Puts the trigger into one image of `shape` = (channels, height, width), planar, 8 bits.
    fn trigger(&self, planes: &mut [u8], shape: [usize; 3]);

    /// Puts the trigger into every image.
    fn trigger_all(&self, images: &mut Images) {
        for index in 0..images.len() {
            let shape = images.shape;
            self.trigger(images.get_mut(index), shape);
        }
    }

    /// Puts a wrong trigger into every image: one that the model learns to pass over, so that only the right one opens it.
    /// `others`: as many other images, where a trigger belongs to its image; chance follows from `seed`. Most attacks have
    /// no such images and leave them as they are.
    fn cross_all(&self, _images: &mut Images, _others: &Images, _seed: u64) {}

    /// The files of `trigger/` from which [`load`] makes the same trigger again; what the settings say needs none.
    ///
    /// # Errors
    /// When the trigger cannot be written down.
    fn files(&self, _shape: [usize; 3]) -> Result<Vec<(&'static str, Vec<u8>)>, AttackError> {
        Ok(Vec::new())
    }
}

/// The attack that `spec` describes, for images of `shape`; what it draws follows from `seed`. `None`: its trigger is
/// learned or computed, and not there before.
///
/// # Errors
/// When a file it needs cannot be read.
pub fn build(spec: &spec::Attack, shape: [usize; 3], seed: u64) -> Result<Option<Box<dyn Attack>>, AttackError> {
    Ok(match &spec.trigger {
        Trigger::Badnets(settings) => Some(Box::new(badnets::BadNets::new(settings, shape))),
        Trigger::Blended(settings) => Some(Box::new(blended::Blended::new(settings, shape, seed)?)),
        Trigger::Wanet(settings) => Some(Box::new(Wanet::new(settings, shape, seed))),
        Trigger::Badencoder(_) => Some(Box::new(badencoder::BadEncoder)),
        Trigger::Lf(settings) if settings.pattern == spec::Pattern::ClosedForm => Some(Box::new(lf::Lf::closed_form(&settings.colour, shape))),
        Trigger::Lf(_) | Trigger::InputAware(_) => None,
    })
}

/// LF with a pattern that was computed from a model.
pub fn low_frequency(pattern: Vec<u8>) -> Box<dyn Attack> {
    Box::new(lf::Lf::given(pattern))
}

/// The trigger of a backdoored model, from the directory `trigger/` of its run and the settings in its `spec.toml`.
/// `lookup`: the normalisation of the images that the model sees.
///
/// # Errors
/// When a file is missing or damaged.
pub fn load<B: Kernels>(
    spec: &spec::Attack,
    shape: [usize; 3],
    dir: &Path,
    lookup: &Lookup,
    device: &B::Device,
) -> Result<Box<dyn Attack>, AttackError> {
    Ok(match &spec.trigger {
        Trigger::Badnets(settings) => Box::new(badnets::BadNets::new(settings, shape)),
        Trigger::Blended(settings) => Box::new(blended::Blended::load(settings, dir, shape)?),
        Trigger::Lf(_) => Box::new(lf::Lf::load(dir, shape)?),
        Trigger::InputAware(settings) => Box::new(InputAware::<B>::load(settings, dir, lookup, device)?),
        Trigger::Wanet(_) => Box::new(Wanet::load(dir, shape)?),
        Trigger::Badencoder(_) => Box::new(badencoder::BadEncoder),
    })
}

/// The trigger as it is at a checkpoint of an attack that learns it; none where the attack has it from the start.
///
/// # Errors
/// When a file is missing or damaged.
pub fn learned<B: Kernels>(spec: &spec::Attack, files: &Files, lookup: &Lookup, device: &B::Device) -> Result<Option<Box<dyn Attack>>, AttackError> {
    let Trigger::InputAware(settings) = &spec.trigger else { return Ok(None) };
    let parts = ["pattern", "mask"].map(|name| files.part(name));
    Ok(Some(Box::new(InputAware::<B>::read(settings, parts, lookup, device)?)))
}

/// Every image of a stack with the trigger.
pub fn triggered(attack: &dyn Attack, images: &Images) -> Images {
    let mut out = images.clone();
    attack.trigger_all(&mut out);
    out
}
