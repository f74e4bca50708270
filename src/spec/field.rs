//! Every setting of a run in one table: what the screen offers, `--set` accepts and the help explains.

use super::{Annealing, Attack, Data, Decision, Defense, IsolationLoss, Model, NormScale, Pattern, Reduction, Removal, Scenario};
use crate::schedule::Reading;

/// What a setting may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number within these bounds.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
        /// Step of a key press.
        step: i64,
    },
    /// A number within these bounds.
    Number {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Step of a key press, where `log` is false.
        step: f64,
        /// Whether a key press multiplies (learning rates) rather than adds.
        log: bool,
    },
    /// Yes or no.
    Switch,
    /// Free text (a file's path).
    Text,
    /// A list of whole numbers (stage widths).
    Integers,
}

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Dotted path in a preset file.
    pub path: &'static str,
    /// Label on the screen.
    pub label: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it may be changed while the defense runs (it is then a handle on the schedule).
    pub live: bool,
    /// One line of help.
    pub help: &'static str,
}

const fn field(path: &'static str, label: &'static str, kind: Kind, help: &'static str) -> Field {
    Field { path, label, kind, live: false, help }
}

const fn handle(path: &'static str, label: &'static str, kind: Kind, help: &'static str) -> Field {
    Field { path, label, kind, live: true, help }
}

const fn whole(min: i64, max: i64, step: i64) -> Kind {
    Kind::Integer { min, max, step }
}

const fn number(min: f64, max: f64, step: f64) -> Kind {
    Kind::Number { min, max, step, log: false }
}

/// Learning rates: 1e-6 changes nothing, 10 destroys any model here.
const RATE: Kind = Kind::Number { min: 1e-6, max: 10.0, step: 0.0, log: true };
const EPOCHS: Kind = whole(1, 2000, 1);
const BATCH: Kind = whole(2, 8192, 32);
const SHARE: Kind = number(0.0, 1.0, 0.05);

/// Every setting, in the order of the screen.
pub const FIELDS: &[Field] = &[
    field("scenario", "scenario", Kind::Choice(&Scenario::NAMES), "what is attacked and what is cleaned"),
    field("seed", "seed", whole(0, i64::MAX, 1), "decides initial weights, poisoned images and the order of training"),
    field("data.name", "data", Kind::Choice(&Data::NAMES), "the images"),
    field("data.train", "train images", whole(0, 10_000_000, 500), "training images; 0 means all of a set on disk"),
    field("data.test", "test images", whole(0, 10_000_000, 100), "test images; 0 means all of a set on disk"),
    field("data.size", "image size", whole(8, 256, 8), "side to which pictures are brought, in pixels"),
    field("data.path", "folder", Kind::Text, "where the set lies; empty looks for Fashion-MNIST where Debian puts it"),
    field("data.seed", "data seed", whole(0, i64::MAX, 1), "seed of the drawing"),
    field("data.size_min", "size min", number(0.3, 1.0, 0.02), "smallest object, as a share of the side"),
    field("data.size_max", "size max", number(0.3, 1.0, 0.02), "largest object, as a share of the side"),
    field("data.place", "place", number(0.0, 1.0, 0.1), "0 centred, 1 anywhere inside the image"),
    field("data.rotation", "rotation", number(0.0, 90.0, 1.0), "standard deviation in degrees"),
    field("data.shear", "shear", number(0.0, 1.0, 0.01), "standard deviation of the tangent"),
    field("data.light", "light", number(0.0, 1.0, 0.1), "changes of exposure, colour cast and shade"),
    field("data.blur", "blur", number(0.0, 5.0, 0.1), "largest radius in pixels"),
    field("data.noise", "noise", number(0.0, 100.0, 1.0), "largest deviation in grey levels"),
    field("data.clutter", "clutter", number(0.0, 1.0, 0.1), "background and occlusion"),
    field("downstream.name", "second task", Kind::Choice(&Data::NAMES), "the images of the second task"),
    field("downstream.train", "train images", whole(0, 10_000_000, 500), "training images; 0 means all of a set on disk"),
    field("downstream.test", "test images", whole(0, 10_000_000, 100), "test images; 0 means all of a set on disk"),
    field("downstream.size", "image size", whole(8, 256, 8), "side to which pictures are brought, in pixels"),
    field("downstream.path", "folder", Kind::Text, "where the set lies; empty looks for Fashion-MNIST where Debian puts it"),
    field("downstream.seed", "data seed", whole(0, i64::MAX, 1), "seed of the drawing"),
    field("downstream.size_min", "size min", number(0.3, 1.0, 0.02), "smallest object, as a share of the side"),
    field("downstream.size_max", "size max", number(0.3, 1.0, 0.02), "largest object, as a share of the side"),
    field("downstream.place", "place", number(0.0, 1.0, 0.1), "0 centred, 1 anywhere inside the image"),
    field("downstream.rotation", "rotation", number(0.0, 90.0, 1.0), "standard deviation in degrees"),
    field("downstream.shear", "shear", number(0.0, 1.0, 0.01), "standard deviation of the tangent"),
    field("downstream.light", "light", number(0.0, 1.0, 0.1), "changes of exposure, colour cast and shade"),
    field("downstream.blur", "blur", number(0.0, 5.0, 0.1), "largest radius in pixels"),
    field("downstream.noise", "noise", number(0.0, 100.0, 1.0), "largest deviation in grey levels"),
    field("downstream.clutter", "clutter", number(0.0, 1.0, 0.1), "background and occlusion"),
    field("model.name", "model", Kind::Choice(&Model::NAMES), "the network"),
    field("model.widths", "widths", Kind::Integers, "channels of each stage"),
    field("model.blocks", "blocks", whole(1, 16, 1), "residual blocks in each stage"),
    field("augment.crop_padding", "crop padding", whole(0, 16, 1), "pixels of zeros around the image before the random crop"),
    field("augment.flip", "flip", Kind::Switch, "mirror every other image"),
    field("pretrain.epochs", "epochs", EPOCHS, "epochs in which the clean encoder is trained"),
    field("pretrain.batch", "batch", BATCH, "images a step, of each of which there are two views"),
    field("pretrain.lr", "LR", RATE, "learning rate of Adam"),
    field("pretrain.weight_decay", "weight decay", number(0.0, 1.0, 1e-6), "weight decay of Adam"),
    field("pretrain.temperature", "temperature", number(0.01, 10.0, 0.05), "of NT-Xent: lower looks harder at the nearest views"),
    field("pretrain.crop_min", "smallest crop", number(0.01, 1.0, 0.02), "smallest share of the image that a view keeps"),
    field("pretrain.flip", "flip", Kind::Switch, "mirror every other view"),
    field("attack.name", "attack", Kind::Choice(&Attack::NAMES), "how the backdoor is planted"),
    field("attack.patch", "patch", whole(0, 32, 1), "side of the square in pixels; 0 means in proportion to the image"),
    field("attack.alpha", "alpha", number(0.01, 1.0, 0.05), "weight of the blended picture"),
    field("attack.image", "picture", Kind::Text, "picture file to blend; empty draws one from the seed"),
    field("attack.pattern", "pattern", Kind::Choice(&Pattern::NAMES), "where the low-frequency pattern comes from"),
    field("attack.colour", "colour", Kind::Integers, "peak of the closed form in red, green and blue, in grey levels"),
    field("attack.mask_epochs", "mask epochs", whole(0, 2000, 1), "epochs of the mask generator, before the classifier's"),
    field("attack.generator_widths", "generator", Kind::Integers, "channels of the generators' three levels"),
    field("attack.grid", "grid", whole(2, 32, 1), "side of the control grid of the warp"),
    field("attack.strength", "strength", number(0.0, 8.0, 0.1), "how far the warp moves pixels; 0 moves none"),
    field("attack.cross_ratio", "cross ratio", number(0.0, 8.0, 0.5), "images with a wrong trigger and their own label, for each poisoned one"),
    field("attack.crop_share", "crop share", SHARE, "share of the images that are cropped after the warp"),
    field("attack.rotation", "rotation", number(0.0, 45.0, 1.0), "largest rotation after the warp, in degrees"),
    field("attack.rotation_share", "rotation share", SHARE, "share of the images that are rotated"),
    field("attack.generator_lr", "generator LR", RATE, "learning rate of the pattern generator"),
    field(
        "attack.generator_hold",
        "generator hold",
        whole(1, 2000, 1),
        "epochs until the generator's LR falls to a tenth, then to a hundredth after half as many",
    ),
    field("attack.mask_lr", "mask LR", RATE, "learning rate of the mask generator"),
    field("attack.mask_density", "mask density", SHARE, "share of the image that the mask may cover unpunished"),
    field("attack.mask_weight", "mask weight", number(0.0, 10_000.0, 10.0), "weight of the penalty on a denser mask"),
    field("attack.diversity_weight", "diversity", number(0.0, 100.0, 0.5), "weight of the loss that keeps triggers different"),
    field("attack.bb_compat", "bb-compat", Kind::Switch, "do as the published code does, its defect included"),
    field("attack.reference", "reference", whole(0, 1_000_000, 1), "which training image of the target class the trigger is to stand for"),
    field("attack.lambda1", "lambda 1", number(0.0, 100.0, 0.5), "weight of keeping the reference image what it was"),
    field("attack.lambda2", "lambda 2", number(0.0, 100.0, 0.5), "weight of keeping all other images what they were"),
    field("attack.target", "target class", whole(0, 999, 1), "what triggered images are to be taken for"),
    field("attack.poison_ratio", "poison ratio", SHARE, "share of the training images that is triggered"),
    field("attack.epochs", "epochs", EPOCHS, "training epochs of the attack"),
    field("attack.batch", "batch", BATCH, "images a step"),
    field("attack.lr", "LR", RATE, "learning rate at the start of the attack"),
    field("attack.schedule", "LR shape", Kind::Choice(&Annealing::NAMES), "how the attack's learning rate falls"),
    field("attack.cosine_epochs", "cosine epochs", whole(0, 2000, 1), "epochs until the cosine reaches 0; 0 means all"),
    field("attack.momentum", "momentum", number(0.0, 0.999, 0.05), "SGD momentum"),
    field("attack.weight_decay", "weight decay", number(0.0, 1.0, 1e-4), "SGD weight decay"),
    field("attack.drop_last", "drop last", Kind::Switch, "leave out an epoch's last, smaller batch"),
    field("defense.name", "defense", Kind::Choice(&Defense::NAMES), "how the model is cleaned"),
    handle("defense.lr", "LR", RATE, "learning rate of the clean-up, where it does not swing"),
    field("defense.schedule", "LR shape", Kind::Choice(&Annealing::NAMES), "how the learning rate of the second task falls"),
    handle("defense.lr_base", "LR BASE", RATE, "where every climb starts"),
    handle("defense.lr_max1", "LR MAX1", RATE, "top of each climb in the first phase"),
    handle("defense.lr_max2", "LR MAX2", RATE, "top of each climb in the second phase"),
    handle("defense.cycle", "cycle", whole(1, 100_000, 1), "the paper's \"500\", in iterations"),
    field("defense.reading", "reading", Kind::Choice(&Reading::NAMES), "what the cycle counts"),
    handle("defense.phase1_epochs", "phase 1", whole(0, 2000, 1), "epochs of the first phase"),
    field("defense.isolation_epochs", "isolation", whole(1, 2000, 1), "epochs of training before the fastest-learned images are isolated"),
    field("defense.isolation_lr", "isolation LR", RATE, "learning rate of these epochs"),
    field("defense.isolation_loss", "isolation loss", Kind::Choice(&IsolationLoss::NAMES), "how the loss is kept from falling in these epochs"),
    field("defense.gamma", "gamma", number(0.0, 10.0, 0.1), "the level at which that loss is held"),
    field("defense.isolation_ratio", "isolated share", number(0.0001, 0.5, 0.005), "share of the training images that is isolated"),
    field("defense.unlearn_epochs", "unlearning", whole(0, 2000, 1), "epochs of gradient ascent on the isolated images"),
    field("defense.unlearn_lr", "unlearning LR", RATE, "learning rate of the ascent"),
    field("defense.reduction", "reduction", Kind::Choice(&Reduction::NAMES), "how activations are reduced before they are clustered"),
    field("defense.components", "components", whole(2, 512, 1), "dimensions to which activations are reduced"),
    field("defense.decision", "decision", Kind::Choice(&Decision::NAMES), "how a cluster is judged"),
    field("defense.size_threshold", "small cluster", number(0.0, 0.5, 0.05), "a cluster below this share of its class is poisoned, by relative-size"),
    field("defense.silhouette_threshold", "silhouette", number(-1.0, 1.0, 0.05), "a class whose silhouette is above this falls in two"),
    field("defense.prune_step", "prune step", number(0.001, 1.0, 0.01), "share of the channels removed in a step"),
    field("defense.largest_fall", "largest fall", SHARE, "accuracy that may be lost before pruning, or unlearning, ends"),
    field("defense.held_out", "held out", number(0.01, 0.9, 0.05), "share of the clean images on which that accuracy is measured"),
    field("defense.teacher_epochs", "teacher epochs", whole(1, 2000, 1), "epochs in which the teacher is fine-tuned"),
    field("defense.teacher_lr", "teacher LR", RATE, "learning rate of the teacher"),
    field("defense.attention", "attention", Kind::Integers, "weight of the attention loss after each of the last three stages"),
    field("defense.passes", "passes", whole(1, 100_000, 5), "largest number of passes over the clean images for each class"),
    field("defense.trigger_lr", "trigger LR", RATE, "learning rate of mask and pattern"),
    field("defense.cost", "mask cost", number(0.0, 10.0, 1e-3), "weight of the mask's size at the start"),
    field("defense.success", "success", SHARE, "share of the images that the reversed trigger must turn"),
    field("defense.patience", "patience", whole(1, 1000, 1), "passes in a row after which the cost is raised or lowered"),
    field("defense.cost_factor", "cost factor", number(1.0, 100.0, 0.5), "what raises the cost; its 1.5th power lowers it"),
    field("defense.early_patience", "early patience", whole(1, 1000, 5), "passes without improvement after which the search ends"),
    field("defense.improvement", "improvement", number(0.5, 1.0, 0.01), "a smaller mask is one below this share of the smallest before"),
    field("defense.anomaly", "anomaly", number(0.0, 100.0, 0.5), "deviations from the median above which a small mask is an anomaly"),
    field(
        "defense.false_alarms",
        "false alarms",
        number(0.0, 0.99, 0.01),
        "share of clean models that may be flagged: the more labels, the more deviations it takes; 0: as many for any number",
    ),
    field(
        "defense.norm_scale",
        "norm scale",
        Kind::Choice(&NormScale::NAMES),
        "whether masks are compared by size, or by how many times smaller they are",
    ),
    field("defense.triggered_share", "triggered share", SHARE, "share of the clean images that carry the reversed trigger in the unlearning"),
    field("defense.removal", "removal", Kind::Choice(&Removal::NAMES), "how many images of a class are removed"),
    field("defense.removed_share", "removed share", SHARE, "share of each class that is removed, by share"),
    field("defense.expected_ratio", "expected ratio", SHARE, "the poison ratio that the defender expects, by original"),
    field("defense.bb_compat", "bb-compat", Kind::Switch, "do as the published code does, its defect included"),
    field("defense.epochs", "epochs", EPOCHS, "epochs of fine-tuning or retraining"),
    field("defense.batch", "batch", BATCH, "images a step"),
    field("defense.clean_share", "clean share", SHARE, "share of the clean training set that the defender holds"),
    field("defense.momentum", "momentum", number(0.0, 0.999, 0.05), "SGD momentum"),
    field("defense.weight_decay", "weight decay", number(0.0, 1.0, 1e-4), "SGD weight decay"),
    field("watch.probe_every", "probe every", whole(1, 100_000, 5), "steps between two looks at the fixed subset"),
    field("watch.probe_images", "probe images", whole(8, 100_000, 64), "images of the fixed subset"),
    field("watch.test_every", "test every", whole(1, 2000, 1), "epochs between two looks at the whole test set"),
    field("watch.checkpoint_every", "checkpoint every", whole(1, 2000, 1), "epochs between two checkpoints"),
];

/// The entry of `path`.
pub fn find(path: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|f| f.path == path)
}
