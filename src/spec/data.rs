//! Which images a run uses.

use serde::{Deserialize, Serialize};

/// A data set and how much of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Data {
    /// 43 traffic signs in GTSRB's order, drawn by the program.
    Signs(Synthetic),
    /// A 12-class subset of `signs` that a small net learns in half a minute.
    #[serde(rename = "signs-12")]
    Signs12(Synthetic),
    /// House-number-like digits, drawn by the program.
    Digits(Synthetic),
    /// CIFAR-10 from the official binary files.
    Cifar10(Files),
    /// CIFAR-100 from the official binary files, with its 100 fine classes.
    Cifar100(Files),
    /// STL-10's labelled images.
    Stl10(Resized),
    /// STL-10's unlabelled images for training (every label is 0) and its test images.
    Stl10Unlabeled(Resized),
    /// The German Traffic Sign Recognition Benchmark.
    Gtsrb(Resized),
    /// Street View House Numbers, cropped digits.
    Svhn(Files),
    /// Any pair of IDX files, as MNIST and its successors come.
    Idx(Located),
    /// Pictures in a folder for each class.
    Folder(Located),
}

/// How a drawn data set is drawn. Every draw follows from `seed` and the sample's index alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Synthetic {
    /// Training images.
    pub train: usize,
    /// Test images.
    pub test: usize,
    /// Seed of the drawing; apart from the run's seed, so that five seeds see one data set.
    pub seed: u64,
    /// Smallest size of the object, as a share of the image's side.
    pub size_min: f64,
    /// Largest size of the object, as a share of the image's side.
    pub size_max: f64,
    /// How far off the centre the object may stand: 0 centred, 1 anywhere inside the image.
    pub place: f64,
    /// Standard deviation of the rotation, in degrees.
    pub rotation: f64,
    /// Standard deviation of the shear (tangent), both axes.
    pub shear: f64,
    /// Strength of changes of exposure, colour cast and shade: 0 none, 1 strong.
    pub light: f64,
    /// Largest radius of the blur, in pixels.
    pub blur: f64,
    /// Largest standard deviation of the pixel noise, in grey levels.
    pub noise: f64,
    /// Strength of background clutter and occlusion: 0 plain, 1 strong.
    pub clutter: f64,
}

impl Default for Synthetic {
    // About the prototype's "hard 0.4": the level at which a 16/32/64 net learns both task and backdoor. Signs that may
    // stand in the very corner hide the patch there, and the backdoor then takes hold by luck.
    fn default() -> Self {
        Self {
            train: 4000,
            test: 1200,
            seed: 0,
            size_min: 0.66,
            size_max: 0.95,
            place: 0.7,
            rotation: 3.6,
            shear: 0.05,
            light: 0.4,
            blur: 0.5,
            noise: 7.0,
            clutter: 0.4,
        }
    }
}

/// How much of a data set on disk is used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Files {
    /// First training images that are used; 0 means all.
    pub train: usize,
    /// First test images that are used; 0 means all.
    pub test: usize,
}

/// How much of a data set with larger pictures is used, and at which size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resized {
    /// First training images that are used; 0 means all.
    pub train: usize,
    /// First test images that are used; 0 means all.
    pub test: usize,
    /// Side to which pictures are resized, in pixels.
    pub size: usize,
}

impl Default for Resized {
    fn default() -> Self {
        Self { train: 0, test: 0, size: SIDE }
    }
}

/// A data set of the user's own: where it lies, how much of it is used, and at which size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Located {
    /// Its folder.
    pub path: String,
    /// First training images that are used; 0 means all.
    pub train: usize,
    /// First test images that are used; 0 means all.
    pub test: usize,
    /// Side to which pictures are brought, in pixels.
    pub size: usize,
}

impl Default for Located {
    fn default() -> Self {
        Self { path: String::new(), train: 0, test: 0, size: SIDE }
    }
}

/// Side of the images on which every network and trigger of the paper works, in pixels.
pub(super) const SIDE: usize = 32;
/// Training images of a set whose size only the disk knows, for estimates before it is read: as many as CIFAR has.
const GUESS: usize = 50_000;
/// Likewise, test images.
const GUESS_TEST: usize = 10_000;

impl Data {
    /// Every name, in the order in which a screen offers them.
    pub const NAMES: [&'static str; 11] =
        ["signs-12", "signs", "digits", "cifar10", "cifar100", "stl10", "stl10-unlabeled", "gtsrb", "svhn", "idx", "folder"];

    /// The name that presets use.
    pub fn name(&self) -> &'static str {
        self.facts().0
    }

    /// Number of classes; `None` where only the files tell.
    pub fn classes(&self) -> Option<usize> {
        self.facts().1
    }

    /// Training images of a run on it, before anything is read: the limit, else the publisher's number, else a guess.
    pub fn train_images(&self) -> usize {
        self.images(self.limits().0, self.facts().2.map(|n| n.0), GUESS)
    }

    /// Test images, likewise.
    pub fn test_images(&self) -> usize {
        self.images(self.limits().1, self.facts().2.map(|n| n.1), GUESS_TEST)
    }

    fn images(&self, limit: usize, whole: Option<usize>, guess: usize) -> usize {
        match whole {
            _ if self.synthetic().is_some() => limit,
            Some(whole) if limit == 0 => whole,
            Some(whole) => limit.min(whole),
            None if limit == 0 => guess,
            None => limit,
        }
    }

    /// Name, number of classes, and numbers of training and test images as published.
    fn facts(&self) -> (&'static str, Option<usize>, Option<(usize, usize)>) {
        match self {
            Self::Signs(_) => ("signs", Some(43), None),
            Self::Signs12(_) => ("signs-12", Some(12), None),
            Self::Digits(_) => ("digits", Some(10), None),
            Self::Cifar10(_) => ("cifar10", Some(10), Some((50_000, 10_000))),
            Self::Cifar100(_) => ("cifar100", Some(100), Some((50_000, 10_000))),
            Self::Stl10(_) => ("stl10", Some(10), Some((5_000, 8_000))),
            Self::Stl10Unlabeled(_) => ("stl10-unlabeled", Some(10), Some((100_000, 8_000))),
            Self::Gtsrb(_) => ("gtsrb", Some(43), Some((39_209, 12_630))),
            Self::Svhn(_) => ("svhn", Some(10), Some((73_257, 26_032))),
            Self::Idx(_) => ("idx", None, None),
            Self::Folder(_) => ("folder", None, None),
        }
    }

    /// Training and test images that are asked for; 0 means all of a set on disk.
    pub fn limits(&self) -> (usize, usize) {
        match self {
            Self::Signs(s) | Self::Signs12(s) | Self::Digits(s) => (s.train, s.test),
            Self::Cifar10(s) | Self::Cifar100(s) | Self::Svhn(s) => (s.train, s.test),
            Self::Stl10(s) | Self::Stl10Unlabeled(s) | Self::Gtsrb(s) => (s.train, s.test),
            Self::Idx(s) | Self::Folder(s) => (s.train, s.test),
        }
    }

    /// The drawing's settings, where the set is drawn.
    pub fn synthetic(&self) -> Option<&Synthetic> {
        match self {
            Self::Signs(s) | Self::Signs12(s) | Self::Digits(s) => Some(s),
            _ => None,
        }
    }
}
