//! A small training set with a planted backdoor, for the tests of the defenses that hold it.

use super::Case;
use crate::attack::{Poisoned, Role};
use crate::data::{Dataset, Images, Normalise, Split};
use crate::model::PreActResNet;
use crate::rng;
use crate::spec::{Augment, Model, RunSpec, Stages};
use crate::train::{Lens, Lookup};
use burn::backend::{Autodiff, Flex};
use rand::RngExt;

pub(super) type B = Autodiff<Flex>;

/// Images of 8 x 8 noise, a little brighter for each class; the poisoned ones have a white upper half and the label 0.
pub(super) struct Planted {
    pub(super) spec: RunSpec,
    pub(super) poisoned: Poisoned,
    data: Dataset,
    none: Split,
    lookup: Lookup,
    lens: Lens,
}

impl Planted {
    /// So many clean images of each class, and so many poisoned ones.
    pub(super) fn new(clean: &[usize], poisoned: usize) -> Self {
        let mut rng = rng::stream(7, "test", 0);
        let shape = [3, 8, 8];
        let mut split = Split { images: Images { shape, pixels: Vec::new() }, labels: Vec::new() };
        let mut roles = Vec::new();
        let marks = (0..poisoned).map(|_| None).chain(clean.iter().enumerate().flat_map(|(c, n)| vec![Some(c); *n]));
        for class in marks {
            let pixels = (0..192).map(|at| match class {
                None if at % 64 < 32 => 255,
                class => rng.random_range(60..120) + 8 * class.unwrap_or(0) as u8,
            });
            split.images.pixels.extend(pixels);
            split.labels.push(class.unwrap_or(0) as u16);
            roles.push(if class.is_some() { Role::Clean } else { Role::Poisoned });
        }
        let spec = RunSpec {
            model: Model::Preact(Stages { widths: vec![4, 8], blocks: 1 }),
            augment: Augment { crop_padding: 1, flip: false },
            ..RunSpec::default()
        };
        let normalise = Normalise { mean: [0.5; 3], std: [0.25; 3] };
        let classes: Vec<String> = (0..clean.len()).map(|c| format!("kind {c}")).collect();
        let lens = Lens::new(&split, &classes, None, 1, None);
        let none = split.select(&[]);
        let data = Dataset { name: "planted".to_owned(), classes, normalise, train: split.clone(), test: split.clone() };
        Self { spec, poisoned: Poisoned { split, roles }, data, none, lookup: Lookup::new(&normalise), lens }
    }

    /// The settings of the defense `name`, with these changes.
    pub(super) fn with(mut self, name: &str, changes: &[(&str, &str)]) -> Self {
        let all: Vec<(String, String)> =
            [("defense.name", name)].iter().chain(changes).map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
        self.spec = self.spec.with_all(&all, "test").unwrap();
        self
    }

    /// A case with a network that has learned nothing yet.
    pub(super) fn case(&self) -> Case<'_, B> {
        let device = Default::default();
        let model = PreActResNet::new(&self.spec.model.stages(), self.data.classes.len(), &mut rng::stream(1, "test", 0), &device);
        Case {
            spec: &self.spec,
            model,
            data: &self.data,
            clean: &self.none,
            poisoned: Some(&self.poisoned),
            lookup: &self.lookup,
            lens: &self.lens,
            device,
        }
    }
}
