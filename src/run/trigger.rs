//! A run's trigger without the run: on the CPU, whatever the run computed on.

use crate::attack::{self, Attack, AttackError};
use crate::data;
use crate::spec::RunSpec;
use crate::train::Lookup;
use burn::backend::Flex;
use std::path::Path;

/// The trigger of the backdoored model in the run directory `dir`, whose settings are `spec`, for images of `shape` =
/// (channels, height, width).
///
/// # Errors
/// When a file of `trigger/` is missing, damaged, or for images of another size.
pub fn load(dir: &Path, spec: &RunSpec, shape: [usize; 3]) -> Result<Box<dyn Attack>, AttackError> {
    if matches!(spec.attack.trigger, crate::spec::Trigger::InputAware(_)) {
        attack::check_size(shape)?;
    }
    let lookup = Lookup::new(&data::normalise(&spec.data));
    attack::load::<Flex>(&spec.attack, shape, &dir.join("trigger"), &lookup, &Default::default())
}
