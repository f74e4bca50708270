//! What this program does otherwise than the paper, and why: `assets/report/differences.toml`.

use crate::spec::RunSpec;
use serde::Deserialize;
use std::collections::BTreeMap;

const TEXT: &str = include_str!("../../assets/report/differences.toml");

/// One difference.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// What it is about.
    pub topic: String,
    /// What the paper says or does.
    pub paper: String,
    /// What this program does.
    pub ours: String,
    /// Why.
    pub why: String,
    /// Settings, by dotted path, and their values with which it is worth saying; none: always.
    #[serde(default)]
    when: BTreeMap<String, Vec<String>>,
}

impl Difference {
    /// Whether it says something about one of these runs.
    pub fn applies(&self, specs: &[&RunSpec]) -> bool {
        let fits = |spec: &RunSpec, path: &str, values: &[String]| spec.get(path).and_then(|v| v.as_str().map(|s| values.iter().any(|w| w == s)));
        self.when.is_empty() || specs.iter().any(|spec| self.when.iter().all(|(path, values)| fits(spec, path, values) == Some(true)))
    }
}

#[derive(Deserialize)]
struct File {
    difference: Vec<Difference>,
}

/// All of them, in the order of the file.
pub fn all() -> Vec<Difference> {
    // The file is part of the program, and a test reads it.
    toml::from_str::<File>(TEXT).map(|file| file.difference).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{field, preset};

    #[test]
    fn every_difference_is_understood_and_names_real_settings() {
        let file: File = toml::from_str(TEXT).unwrap_or_else(|e| panic!("{e}"));
        assert!(file.difference.len() >= 8);
        for path in file.difference.iter().flat_map(|d| d.when.keys()) {
            assert!(field::find(path).is_some(), "{path}");
        }
    }

    #[test]
    fn a_difference_is_told_where_a_run_has_it() {
        let spec = |name| preset::load(name).unwrap().spec;
        let (demo, paper, nc) = (spec("demo"), spec("paper-cifar10"), spec("demo-nc"));
        let told = |specs: &[&RunSpec]| all().into_iter().filter(|d| d.applies(specs)).map(|d| d.topic).collect::<Vec<_>>();
        assert_eq!(told(&[&paper]), ["Attack success rate", "Hours", "The cycle of super-fine-tuning"]);
        assert!(told(&[&paper, &demo]).contains(&"Data".to_owned()) && !told(&[&demo]).contains(&"Neural Cleanse".to_owned()));
        assert!(told(&[&nc]).contains(&"Neural Cleanse".to_owned()));
    }
}
