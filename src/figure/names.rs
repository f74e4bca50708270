//! What settings are called in the paper's figures, and in which order they stand there.

/// Dotted path of a setting, then its values with their names, in the paper's order and ours after them.
const NAMES: &[(&str, &[(&str, &str)])] = &[
    (
        "attack.name",
        &[
            ("badnets", "BadNets"),
            ("blended", "Blended"),
            ("lf", "LF"),
            ("input-aware", "Inputaware"),
            ("wanet", "WaNet"),
            ("badencoder", "BadEncoder"),
        ],
    ),
    (
        "data.name",
        &[
            ("cifar10", "CIFAR-10"),
            ("cifar100", "CIFAR-100"),
            ("gtsrb", "GTSRB"),
            ("stl10", "STL-10"),
            ("svhn", "SVHN"),
            ("signs-12", "Signs-12"),
            ("signs", "Signs-43"),
            ("digits", "Digits"),
        ],
    ),
    (
        "defense.name",
        &[
            ("fine-tuning", "FT"),
            ("super-fine-tuning", "SFT"),
            ("abl", "ABL"),
            ("ac", "AC"),
            ("fine-pruning", "Fine-pruning"),
            ("nad", "NAD"),
            ("neural-cleanse", "NC"),
            ("spectral", "Spectral"),
            ("classifier-only", "classifier only"),
            ("whole", "whole model"),
        ],
    ),
    (
        "model.name",
        &[
            ("preact-small", "small PreAct-ResNet"),
            ("preact-resnet18", "PreAct-ResNet18"),
            ("preact", "PreAct-ResNet"),
            ("resnet-small", "small ResNet"),
            ("resnet18", "ResNet18"),
            ("resnet", "ResNet"),
        ],
    ),
];

fn table(path: &str) -> &'static [(&'static str, &'static str)] {
    // Both tasks' images come from the same sets.
    let path = if path == "downstream.name" { "data.name" } else { path };
    NAMES.iter().find(|(p, _)| *p == path).map_or(&[], |(_, table)| table)
}

/// The name of `value` of the setting at `path`; itself where it has none.
pub fn shown(path: &str, value: &str) -> String {
    table(path).iter().find(|(v, _)| *v == value).map_or(value, |(_, name)| name).to_owned()
}

/// The place of `value` among the others; those without one come last.
pub fn order(path: &str, value: &str) -> usize {
    let table = table(path);
    table.iter().position(|(v, _)| *v == value).unwrap_or(table.len())
}
