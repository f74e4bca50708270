//! The poisoned training set (spec.md 1.1, 1.5, 1.6).
//!
//! Data attacks train on it. Input-aware and WaNet poison batch by batch instead; their set is the one that
//! BackdoorBench writes down for them: the same shares, made with the finished trigger.

use super::Attack;
use crate::data::Split;
use crate::rng;
use crate::spec;
use rand::RngExt;

/// What becomes of one training image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Triggered and relabelled.
    Poisoned,
    /// Under a wrong trigger, with its own label.
    Cross,
    /// As it is.
    Clean,
}

impl Role {
    /// As tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Poisoned => "poisoned",
            Self::Cross => "cross",
            Self::Clean => "clean",
        }
    }
}

/// A training set with its poisoned part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poisoned {
    /// Every image, in the order of the clean set; the poisoned ones triggered and relabelled, the cross ones under a
    /// wrong trigger.
    pub split: Split,
    /// One for each image.
    pub roles: Vec<Role>,
}

impl Poisoned {
    /// A training set of which nothing is poisoned.
    pub fn none(split: Split) -> Self {
        Self { roles: vec![Role::Clean; split.len()], split }
    }

    /// Indices of the images with `role`, ascending.
    pub fn indices(&self, role: Role) -> Vec<usize> {
        (0..self.roles.len()).filter(|&i| self.roles[i] == role).collect()
    }

    /// Number of images with `role`.
    pub fn count(&self, role: Role) -> usize {
        self.roles.iter().filter(|r| **r == role).count()
    }
}

/// The poisoned training set of an attack with its final trigger: round(ratio * n) images of all classes, the target's
/// included, are triggered and relabelled, and where the attack has cross images, `cross_ratio` times as many others are
/// put under a wrong trigger. Both happen once, at 8 bits, before any augmentation; which images, and every chance of a
/// wrong trigger, follow from `seed`.
pub fn poison(attack: &dyn Attack, spec: &spec::Attack, clean: &Split, seed: u64) -> Poisoned {
    let mut made = Poisoned { split: clean.clone(), roles: draw_roles(spec, clean.len(), seed) };
    let poisoned = made.indices(Role::Poisoned);
    let mut images = clean.images.select(&poisoned);
    attack.trigger_all(&mut images);
    for (at, &index) in poisoned.iter().enumerate() {
        made.split.images.get_mut(index).copy_from_slice(images.get(at));
        made.split.labels[index] = spec.target;
    }
    let cross = made.indices(Role::Cross);
    let mut images = clean.images.select(&cross);
    attack.cross_all(&mut images, &clean.images.select(&others(&cross, clean.len(), seed)), seed);
    for (at, &index) in cross.iter().enumerate() {
        made.split.images.get_mut(index).copy_from_slice(images.get(at));
    }
    made
}

/// What becomes of each of `count` images: poisoned and cross ones are drawn uniformly without replacement, the same
/// for the same seed.
pub fn draw_roles(spec: &spec::Attack, count: usize, seed: u64) -> Vec<Role> {
    let order = rng::permutation(count, rng::stream(seed, "poison", 0));
    let poisoned = ((count as f64 * spec.poison_ratio).round() as usize).min(count);
    let cross = cross_count(poisoned, spec.cross_ratio(), count);
    let mut roles = vec![Role::Clean; count];
    for (at, &index) in order.iter().enumerate().take(poisoned + cross) {
        roles[index] = if at < poisoned { Role::Poisoned } else { Role::Cross };
    }
    roles
}

/// Cross images among `size` of which `poisoned` are poisoned: the whole number below `ratio` for each, as far as there
/// are images left.
pub fn cross_count(poisoned: usize, ratio: f64, size: usize) -> usize {
    ((poisoned as f64 * ratio) as usize).min(size.saturating_sub(poisoned))
}

/// For each of `indices` another of the `count` images.
fn others(indices: &[usize], count: usize, seed: u64) -> Vec<usize> {
    let mut rng = rng::stream(seed, "poison cross", 0);
    let other = |&index: &usize| {
        let drawn = rng.random_range(0..count.saturating_sub(1).max(1));
        if drawn < index || count < 2 { drawn } else { drawn + 1 }
    };
    indices.iter().map(other).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{InputAware, Wanet, build};
    use super::*;
    use crate::data::{Images, Normalise};
    use crate::spec::Trigger;
    use crate::train::Lookup;
    use burn::backend::Flex;
    use burn::module::{Module, ModuleMapper, Param};
    use burn::tensor::Tensor;
    use proptest::prelude::*;

    const SHAPE: [usize; 3] = [3, 16, 16];

    /// Images that differ, of ten classes.
    fn split(count: usize) -> Split {
        let pixels = (0..count * 768).map(|i| ((i % 768) * (31 + i / 768) % 251) as u8).collect();
        Split { images: Images { shape: SHAPE, pixels }, labels: (0..count).map(|i| (i % 10) as u16).collect() }
    }

    fn badnets(ratio: f64) -> spec::Attack {
        spec::Attack { target: 3, poison_ratio: ratio, ..spec::Attack::default() }
    }

    fn wanet(ratio: f64) -> (spec::Attack, Wanet) {
        let settings = spec::Wanet::default();
        let warp = Wanet::new(&settings, SHAPE, 4);
        (spec::Attack { trigger: Trigger::Wanet(settings), ..badnets(ratio) }, warp)
    }

    /// Makes weights so large that what an untrained generator draws depends on its image.
    struct Louder;

    impl ModuleMapper<Flex> for Louder {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<Flex, D>>) -> Param<Tensor<Flex, D>> {
            param.map(|weights| weights * 3.0)
        }
    }

    fn input_aware(ratio: f64) -> (spec::Attack, InputAware<Flex>) {
        let settings = spec::InputAware { generator_widths: vec![2, 3, 4], ..spec::InputAware::default() };
        let device = Default::default();
        let [pattern, mask] = InputAware::<Flex>::generators(&settings, 5, &device).map(|net| net.map(&mut Louder));
        let attack = InputAware::new(pattern, mask, &Lookup::new(&Normalise { mean: [0.4; 3], std: [0.25; 3] }), &device);
        (spec::Attack { trigger: Trigger::InputAware(settings), ..badnets(ratio) }, attack)
    }

    fn counts(made: &Poisoned) -> [usize; 3] {
        [Role::Poisoned, Role::Cross, Role::Clean].map(|role| made.count(role))
    }

    /// spec.md 12(7).
    #[test]
    fn counts_are_the_papers() {
        let poisoned = |count| draw_roles(&badnets(0.1), count, 0).iter().filter(|r| **r == Role::Poisoned).count();
        assert_eq!([poisoned(50_000), poisoned(39_209)], [5_000, 3_921]);
        assert_eq!((cross_count(12, 2.0, 128), cross_count(3, 0.5, 10), cross_count(6, 2.0, 10)), (24, 1, 4));
    }

    /// Labels by role, clean images untouched, and images of the target class among the poisoned ones.
    fn check(attack: &dyn Attack, spec: &spec::Attack, clean: &Split) -> Poisoned {
        let made = poison(attack, spec, clean, 5);
        assert_eq!(made, poison(attack, spec, clean, 5));
        assert_ne!(made.roles, poison(attack, spec, clean, 6).roles);
        for (i, role) in made.roles.iter().enumerate() {
            assert_eq!(made.split.labels[i], if *role == Role::Poisoned { 3 } else { clean.labels[i] }, "{i}");
            assert_eq!(made.split.images.get(i) == clean.images.get(i), *role == Role::Clean, "{i}: {role:?}");
        }
        assert!(made.indices(Role::Poisoned).iter().any(|&i| clean.labels[i] == 3), "no image of the target class");
        let mut triggered = clean.images.clone();
        attack.trigger_all(&mut triggered);
        assert!(made.indices(Role::Poisoned).iter().all(|&i| made.split.images.get(i) == triggered.get(i)));
        let own = made.indices(Role::Cross).iter().filter(|&&i| made.split.images.get(i) == triggered.get(i)).count();
        assert_eq!(own, 0, "cross images under their own trigger");
        made
    }

    #[test]
    fn a_data_attack_has_no_cross_images() {
        let (clean, spec) = (split(200), badnets(0.2));
        let attack = build(&spec, SHAPE, 0).unwrap().unwrap();
        assert_eq!(counts(&check(attack.as_ref(), &spec, &clean)), [40, 0, 160]);
    }

    #[test]
    fn wanet_has_two_noisy_warps_for_each_warp() {
        let (spec, warp) = wanet(0.2);
        assert_eq!(counts(&check(&warp, &spec, &split(200))), [40, 80, 80]);
    }

    #[test]
    fn input_aware_has_one_image_under_another_s_trigger_for_each_under_its_own() {
        let (spec, attack) = input_aware(0.2);
        let clean = split(200);
        let made = check(&attack, &spec, &clean);
        assert_eq!(counts(&made), [40, 40, 120]);
        let cross = made.indices(Role::Cross);
        let others = others(&cross, clean.len(), 5);
        let mut expected = clean.images.select(&cross[..1]);
        attack.cross_all(&mut expected, &clean.images.select(&others[..1]), 5);
        assert_eq!(expected.get(0), made.split.images.get(cross[0]));
    }

    #[test]
    fn small_ratios_are_safe() {
        let (spec, warp) = wanet(0.0);
        let clean = split(40);
        assert_eq!(poison(&warp, &spec, &clean, 0), Poisoned::none(clean.clone()));
        let (spec, warp) = wanet(0.02);
        assert_eq!(counts(&poison(&warp, &spec, &clean, 0)), [1, 2, 37]);
        let (spec, attack) = input_aware(0.001);
        assert_eq!(counts(&poison(&attack, &spec, &clean, 0)), [0, 0, 40]);
        let (spec, warp) = wanet(0.9);
        assert_eq!(counts(&poison(&warp, &spec, &clean, 0)), [36, 4, 0]);
        let (spec, attack) = input_aware(1.0);
        assert_eq!(counts(&poison(&attack, &spec, &split(1), 0)), [1, 0, 0]);
        assert!(poison(&attack, &spec, &split(0), 0).roles.is_empty());
    }

    proptest! {
        #[test]
        fn roles_follow_the_seed_and_have_their_counts(count in 0usize..3000, ratio in 0.0..1.0, seed in 0u64..100) {
            let (spec, _) = wanet(ratio);
            let roles = draw_roles(&spec, count, seed);
            prop_assert_eq!(&roles, &draw_roles(&spec, count, seed));
            let of = |role| roles.iter().filter(|r| **r == role).count();
            let poisoned = (count as f64 * ratio).round() as usize;
            prop_assert_eq!(of(Role::Poisoned), poisoned);
            prop_assert_eq!(of(Role::Cross), (2 * poisoned).min(count - poisoned));
            // The poisoned images are those that the same seed gives a data attack.
            let data: Vec<bool> = draw_roles(&badnets(ratio), count, seed).iter().map(|r| *r == Role::Poisoned).collect();
            prop_assert!(roles.iter().zip(data).all(|(r, p)| (*r == Role::Poisoned) == p));
        }

        #[test]
        fn another_image_is_another(count in 2usize..50, seed in 0u64..50) {
            let all: Vec<usize> = (0..count).collect();
            prop_assert!(others(&all, count, seed).iter().zip(&all).all(|(o, i)| o != i && *o < count));
        }
    }
}
