//! Sweeps: many runs from one file, as a list of cells in a fixed order.
//!
//! ```text
//! sweep.toml -> plan -> cells.jsonl: attack cells first, then the defense cells that start from them
//! ```

use super::error::closest;
use super::{RunSpec, SpecError, Stage, preset, work};
use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::{Table, Value};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets/sweeps");

/// A table of runs: every attack with every defense for every seed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// One line for lists; a figure's runs have the figure's.
    #[serde(default)]
    pub title: String,
    /// A few sentences.
    #[serde(default)]
    pub about: String,
    /// The preset whose settings hold where nothing else is said.
    pub preset: String,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Settings of every cell, by dotted path.
    #[serde(default)]
    pub set: Table,
    /// The attacks.
    pub attacks: Vec<Choice>,
    /// The defenses; none: only backdoored models are computed.
    #[serde(default)]
    pub defenses: Vec<Choice>,
}

/// One attack or defense of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Its name in tables.
    pub label: String,
    /// For an attack: the preset to take instead of the sweep's. For a defense: the preset whose defense is taken, with how often it
    /// looks at the test set.
    #[serde(default)]
    pub preset: Option<String>,
    /// Its settings, by dotted path; they come after the preset and after the sweep's own.
    #[serde(default)]
    pub set: Table,
}

/// One computation of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Named by everything that decides it: the same settings are the same cell in every sweep.
    pub id: String,
    /// `attack`: the backdoored model alone; `defense`: the defended model.
    pub stage: Stage,
    /// Label of the attack.
    pub attack: String,
    /// Label of the defense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defense: Option<String>,
    /// Seed.
    pub seed: u64,
    /// The cell that must be done before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// The whole run.
    pub spec: Table,
}

impl Cell {
    fn new(stage: Stage, attack: &str, defense: Option<&str>, needs: Option<&Self>, spec: &RunSpec) -> Self {
        let table = match stage {
            Stage::Attack => spec.backdoored().to_table(),
            _ => spec.to_table(),
        };
        // How closely a run is watched decides nothing.
        let mut decides = table.clone();
        decides.remove("watch");
        let hash = super::hash(&serde_json::json!({ "stage": stage, "spec": decides }));
        let id = [Some(attack), defense, Some(&spec.seed.to_string()), Some(&hash)].into_iter().flatten().collect::<Vec<_>>().join("-");
        let (attack, defense) = (attack.to_owned(), defense.map(str::to_owned));
        Self { id, stage, attack, defense, seed: spec.seed, needs: needs.map(|n| n.id.clone()), spec: table }
    }

    /// The run.
    ///
    /// # Errors
    /// When the cell was written by hand, or by another version, and makes no sense.
    pub fn run(&self) -> Result<RunSpec, SpecError> {
        RunSpec::from_table(&self.spec, &format!("cell {}", self.id))
    }

    /// Multiply-adds, as far as the settings tell; 0 for a cell that makes no sense.
    pub fn work(&self) -> f64 {
        self.run().map_or(0.0, |spec| work::of_cell(&spec, self.stage))
    }

    /// In words: `badnets x nad, seed 0`.
    pub fn words(&self) -> String {
        match &self.defense {
            Some(defense) => format!("{} x {defense}, seed {}", self.attack, self.seed),
            None => format!("{}, seed {}", self.attack, self.seed),
        }
    }
}

impl Sweep {
    /// Whether there is something to compute, and each of it once.
    ///
    /// # Errors
    /// Names what is missing, or stands there twice.
    pub fn check(&self, origin: &str) -> Result<(), SpecError> {
        let conflict = |message| Err(SpecError::Conflict { origin: origin.to_owned(), message });
        if self.seeds.is_empty() || self.attacks.is_empty() {
            return conflict("seeds and attacks: at least one of each".to_owned());
        }
        for choices in [&self.attacks, &self.defenses] {
            let mut labels: Vec<&str> = choices.iter().map(|c| c.label.as_str()).collect();
            labels.sort_unstable();
            if let Some(twice) = labels.windows(2).find(|w| w[0] == w[1]) {
                return conflict(format!("label = \"{}\": stands there twice", twice[0]));
            }
        }
        Ok(())
    }

    /// The cells, always in the same order.
    ///
    /// # Errors
    /// When a preset or a setting makes no sense; the message names the choice.
    pub fn cells(&self) -> Result<Vec<Cell>, SpecError> {
        let (mut attacks, mut defenses) = (Vec::new(), Vec::new());
        // How often a defense's preset looks at the test set comes with the defense, unless the sweep says otherwise.
        let watched: Table = self.set.clone().into_iter().filter(|(path, _)| path == "watch" || path.starts_with("watch.")).collect();
        for attack in &self.attacks {
            let base = preset::load(attack.preset.as_ref().unwrap_or(&self.preset))?.spec;
            let base = change(&change(&base, &self.set, "the sweep's set")?, &attack.set, &format!("attack {}", attack.label))?;
            for &seed in &self.seeds {
                let spec = RunSpec { seed, ..base.clone() };
                let planted = Cell::new(Stage::Attack, &attack.label, None, None, &spec);
                for defense in &self.defenses {
                    let origin = format!("defense {}", defense.label);
                    let mut spec = spec.clone();
                    if let Some(name) = &defense.preset {
                        let own = preset::load(name)?.spec;
                        spec.defense = own.defense;
                        spec.watch.test_every = own.watch.test_every;
                    }
                    let spec = change(&change(&spec, &watched, "the sweep's set")?, &defense.set, &origin)?;
                    defenses.push(Cell::new(Stage::Defense, &attack.label, Some(&defense.label), Some(&planted), &spec));
                }
                attacks.push(planted);
            }
        }
        attacks.extend(defenses);
        Ok(attacks)
    }
}

/// `spec` with the settings of `table`, nested or by dotted path.
fn change(spec: &RunSpec, table: &Table, origin: &str) -> Result<RunSpec, SpecError> {
    let mut changes = Vec::new();
    flatten("", table, &mut changes);
    spec.with_all(&changes, origin)
}

fn flatten(prefix: &str, table: &Table, out: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) => flatten(&path, inner, out),
            Value::String(text) => out.push((path, text.clone())),
            other => out.push((path, other.to_string())),
        }
    }
}

/// Names of the embedded sweeps.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = EMBEDDED.files().filter_map(|f| Some(f.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

/// The sweep in the file `name` (a path that ends in `.toml`), or the embedded one of that name.
///
/// # Errors
/// When there is none, or it cannot be understood.
pub fn load(name: &str) -> Result<Sweep, SpecError> {
    let (origin, text) = if name.ends_with(".toml") {
        let text = std::fs::read_to_string(name).map_err(|source| SpecError::Io { file: name.to_owned(), source })?;
        (name.to_owned(), text)
    } else {
        let text = EMBEDDED.get_file(Path::new(&format!("{name}.toml"))).and_then(|f| f.contents_utf8());
        let missing = || SpecError::NoSweep { name: name.to_owned(), close: closest(name, names().iter().map(String::as_str)), known: names() };
        (format!("sweep {name}"), text.ok_or_else(missing)?.to_owned())
    };
    let sweep: Sweep =
        toml::from_str(&text).map_err(|e| SpecError::Syntax { origin: origin.clone(), message: e.to_string().trim_end().to_owned() })?;
    sweep.check(&origin)?;
    Ok(sweep)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(text: &str) -> Sweep {
        toml::from_str(text).unwrap()
    }

    const SMALL: &str = r#"
title = "t"
about = "a"
preset = "demo"
seeds = [0, 1]
set = { "data.train" = 500 }
attacks = [{ label = "badnets" }, { label = "blended", set = { "attack.name" = "blended", "attack.alpha" = 0.3 } }]
defenses = [{ label = "ft", preset = "demo-ft" }, { label = "sft", set = { defense = { lr_max1 = 0.2 } } }]
"#;

    #[test]
    fn a_defense_brings_along_how_often_it_looks_and_the_sweep_decides() {
        let of = |set: &str| {
            let text = format!("preset = \"demo\"\nseeds = [0]\nset = {{ {set} }}\nattacks = [{{ label = \"a\" }}]\n");
            let cells = sweep(&(text + "defenses = [{ label = \"fp\", preset = \"demo-fp\" }]")).cells().unwrap();
            (cells[1].run().unwrap().watch, cells[1].id.clone())
        };
        let (own, id) = of("");
        let (set, same) = of("watch = { test_every = 3, probe_every = 50 }");
        assert_eq!((own.test_every, own.probe_every), (10, 10));
        assert_eq!((set.test_every, set.probe_every), (3, 50));
        assert_eq!(id, same);
        assert_eq!(of("\"watch.test_every\" = 4").0.test_every, 4);
    }

    #[test]
    fn cells_come_attacks_first_and_name_what_they_need() {
        let cells = sweep(SMALL).cells().unwrap();
        assert_eq!(cells.len(), 4 + 8);
        assert!(cells[..4].iter().all(|c| c.stage == Stage::Attack && c.needs.is_none()));
        for cell in &cells[4..] {
            assert!(cells[..4].iter().any(|a| Some(&a.id) == cell.needs.as_ref() && a.attack == cell.attack && a.seed == cell.seed));
        }
        let run = cells.iter().find(|c| c.words() == "blended x sft, seed 1").unwrap().run().unwrap();
        assert_eq!((run.seed, run.attack.name(), run.defense.name()), (1, "blended", "super-fine-tuning"));
        assert_eq!(run.get("defense.lr_max1").and_then(|v| v.as_float()), Some(0.2));
        assert_eq!(run.data.train_images(), 500);
        assert_eq!(cells, sweep(SMALL).cells().unwrap());
        let mut ids: Vec<&str> = cells.iter().map(|c| c.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), cells.len());
    }

    #[test]
    fn every_scenario_has_cells_that_can_be_run() {
        for (preset, other) in [("demo-transfer", "demo-transfer-ft"), ("demo-encoder", "demo-encoder-whole")] {
            let text = format!(
                "preset = \"{preset}\"\nseeds = [0]\nattacks = [{{ label = \"a\" }}]\ndefenses = [{{ label = \"b\" }}, {{ label = \"c\", preset = \"{other}\" }}]"
            );
            let cells = sweep(&text).cells().unwrap();
            assert_eq!(cells.len(), 3);
            assert!(cells.iter().all(|c| c.run().is_ok()), "{preset}");
        }
    }

    #[test]
    fn an_attack_s_cell_does_not_depend_on_the_defense() {
        let more = SMALL.replace("lr_max1 = 0.2", "lr_max1 = 0.3");
        let (a, b) = (sweep(SMALL).cells().unwrap(), sweep(&more).cells().unwrap());
        assert_eq!(a[..4], b[..4]);
        assert_ne!(a[5].id, b[5].id);
    }

    #[test]
    fn a_cell_survives_its_line() {
        for cell in sweep(SMALL).cells().unwrap() {
            let back: Cell = serde_json::from_str(&serde_json::to_string(&cell).unwrap()).unwrap();
            assert_eq!(back.run().unwrap(), cell.run().unwrap());
            assert_eq!(back.id, cell.id);
        }
    }

    #[test]
    fn a_wrong_setting_names_its_choice() {
        let wrong = SMALL.replace("lr_max1", "lr_mx1");
        let message = sweep(&wrong).cells().unwrap_err().to_string();
        assert!(message.contains("defense sft") && message.contains("lr_mx1"), "{message}");
    }

    #[test]
    fn every_embedded_sweep_is_understood() {
        assert!(!names().is_empty());
        for name in names() {
            let sweep = load(&name).unwrap_or_else(|e| panic!("{e}"));
            assert!(!sweep.cells().unwrap_or_else(|e| panic!("{name}: {e}")).is_empty());
        }
        assert!(load("sine").unwrap_err().to_string().contains("sine"));
    }
}
