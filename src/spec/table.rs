//! A run as a TOML table: reading, changing by dotted path, checking against the table of settings.

use super::error::closest;
use super::field::{self, FIELDS, Field, Kind};
use super::{Data, InputAware, Method, RunSpec, Scenario, SpecError, Synthetic, Trigger, Wanet};
use toml::{Table, Value};

impl RunSpec {
    /// Reads a table. Keys that are left out take their defaults.
    ///
    /// # Errors
    /// Unknown keys, values of the wrong type or out of range, settings that contradict each other; `origin` (a file
    /// or a flag) stands in the message.
    pub fn from_table(table: &Table, origin: &str) -> Result<Self, SpecError> {
        check_values(table, origin)?;
        let spec = Self::lenient(table, origin)?;
        let known = spec.to_table();
        if let Some(path) = paths(table).into_iter().find(|p| get(&known, p).is_none()) {
            return Err(unknown(&path, &known, origin));
        }
        spec.check(origin)?;
        Ok(spec)
    }

    /// The whole run as a table, defaults filled in.
    pub fn to_table(&self) -> Table {
        let mut table = Table::try_from(self).unwrap_or_default();
        // What the chosen attack or defense has no use for is no setting of it.
        for (section, keys) in [("attack", self.attack.idle()), ("defense", self.defense.idle())] {
            if let Some(section) = table.get_mut(section).and_then(Value::as_table_mut) {
                keys.iter().for_each(|key| drop(section.remove(*key)));
            }
        }
        table
    }

    /// The names that the setting at `path` may hold in this run's scenario.
    pub fn choices(&self, field: &Field) -> Option<&'static [&'static str]> {
        let Kind::Choice(words) = field.kind else { return None };
        Some(self.scenario.choices(field.path).unwrap_or(words))
    }

    /// The value of the setting at `path`, when this run has it.
    pub fn get(&self, path: &str) -> Option<Value> {
        get(&self.to_table(), path).cloned()
    }

    /// The settings that this run has, in the order of the screen.
    pub fn fields(&self) -> Vec<&'static Field> {
        let table = self.to_table();
        FIELDS.iter().filter(|f| get(&table, f.path).is_some()).collect()
    }

    /// This run with the setting at `path` changed to `text`. When a name changes (`attack.name`), the settings that
    /// only the old one had fall away and the new one's take their defaults.
    ///
    /// # Errors
    /// As [`Self::from_table`].
    pub fn with(&self, path: &str, text: &str, origin: &str) -> Result<Self, SpecError> {
        let mut table = self.to_table();
        let Some(field) = field::find(path).filter(|_| get(&table, path).is_some()) else {
            return Err(unknown(path, &table, origin));
        };
        let value = parse(field, text, origin)?;
        if is_name(path) {
            table = self.renamed(path, text, origin)?.to_table();
        } else {
            put(&mut table, path, value);
        }
        Self::from_table(&table, origin)
    }

    /// This run with the name at `path` changed and nothing checked between settings yet.
    pub(super) fn renamed(&self, path: &str, name: &str, origin: &str) -> Result<Self, SpecError> {
        let mut table = self.to_table();
        if let Some(section) = path.strip_suffix(".name").filter(|s| ["data", "downstream"].contains(s)) {
            // How many images there are belongs to the data set: nothing of the old one's settings carries over.
            table.remove(section);
        }
        put(&mut table, path, Value::String(name.to_owned()));
        check_values(&table, origin)?;
        let mut spec = Self::lenient(&table, origin)?;
        if path == "scenario" {
            spec.fit();
        }
        if path == "defense.name" && spec.defense.usual_share() != self.defense.usual_share() {
            // How many clean images a defense is given is part of its recipe: 80 passes over all of them is not NC.
            spec.defense.clean_share = spec.defense.usual_share();
        }
        if path == "defense.name" && spec.defense.usual_weight_decay() != self.defense.usual_weight_decay() {
            spec.defense.weight_decay = spec.defense.usual_weight_decay();
        }
        Ok(spec)
    }

    /// This run with several `key=value` changes, names first, so that the order on a command line does not matter.
    ///
    /// # Errors
    /// As [`Self::from_table`].
    pub fn with_all(&self, changes: &[(String, String)], origin: &str) -> Result<Self, SpecError> {
        let mut ordered: Vec<_> = changes.iter().collect();
        ordered.sort_by_key(|(path, _)| (path != "scenario", !is_name(path)));
        ordered.into_iter().try_fold(self.clone(), |spec, (path, text)| spec.with(path, text, origin))
    }

    /// Reads a table whose values are checked; a second data set is there exactly where the scenario has one.
    fn lenient(table: &Table, origin: &str) -> Result<Self, SpecError> {
        let read: Result<Self, toml::de::Error> = table.clone().try_into();
        let mut spec = read.map_err(|e| SpecError::Syntax { origin: origin.to_owned(), message: e.message().to_owned() })?;
        let second = spec.downstream.take().unwrap_or_else(|| Data::Digits(Synthetic::default()));
        spec.downstream = spec.scenario.carries_over().then_some(second);
        spec.pretrain = (spec.scenario == Scenario::Encoder).then(|| spec.pretrain.take().unwrap_or_default());
        Ok(spec)
    }

    /// Rules that hold between settings.
    fn check(&self, origin: &str) -> Result<(), SpecError> {
        let conflict = |message: String| Err(SpecError::Conflict { origin: origin.to_owned(), message });
        for (path, name) in [("attack.name", self.attack.name()), ("defense.name", self.defense.name()), ("model.name", self.model.name())] {
            if let Some(words) = self.scenario.choices(path).filter(|words| !words.contains(&name)) {
                return conflict(format!("{path} = {name}: the scenario {} has {}", self.scenario.name(), words.join(" | ")));
            }
        }
        let targets = self.target_data();
        // Where only the files tell how many classes there are, the target is checked once they are read.
        if let Some(classes) = targets.classes().filter(|&classes| usize::from(self.attack.target) >= classes) {
            return conflict(format!("attack.target = {}: {} has classes 0..{}", self.attack.target, targets.name(), classes - 1));
        }
        for (section, data) in [("data", Some(&self.data)), ("downstream", self.downstream.as_ref())] {
            let Some(s) = data.and_then(Data::synthetic) else { continue };
            if s.size_min > s.size_max {
                return conflict(format!("{section}.size_min = {} is above {section}.size_max = {}", s.size_min, s.size_max));
            }
            if s.train < 2 || s.test < 1 {
                return conflict(format!("{section}.train and {section}.test: a drawn set needs at least 2 training images and 1 test image"));
            }
        }
        let stages = self.model.stages();
        if stages.widths.is_empty() || stages.widths.len() > 6 || stages.widths.iter().any(|w| !(1..=4096).contains(w)) {
            return conflict(format!("model.widths = {:?}: one to six stages of 1..4096 channels", stages.widths));
        }
        self.check_attack(origin)?;
        self.check_defense(origin)
    }

    fn check_defense(&self, origin: &str) -> Result<(), SpecError> {
        match &self.defense.method {
            Method::Nad(nad) if nad.attention.len() != 3 => Err(SpecError::Conflict {
                origin: origin.to_owned(),
                message: format!("defense.attention = {:?}: three weights, one for each of the last three stages", nad.attention),
            }),
            _ => Ok(()),
        }
    }

    fn check_attack(&self, origin: &str) -> Result<(), SpecError> {
        let conflict = |message: String| Err(SpecError::Conflict { origin: origin.to_owned(), message });
        match &self.attack.trigger {
            Trigger::Lf(s) if s.colour.len() != 3 => {
                conflict(format!("attack.colour = {:?}: three values, red, green and blue, each 0..255", s.colour))
            }
            Trigger::InputAware(s) if s.generator_widths.len() != 3 || s.generator_widths.iter().any(|w| !(1..=1024).contains(w)) => {
                conflict(format!("attack.generator_widths = {:?}: three levels of 1..1024 channels", s.generator_widths))
            }
            Trigger::InputAware(InputAware { cross_ratio, .. }) | Trigger::Wanet(Wanet { cross_ratio, .. })
                if self.attack.poison_ratio * (1.0 + cross_ratio) > 1.0 =>
            {
                conflict(format!(
                    "attack.poison_ratio = {} with attack.cross_ratio = {cross_ratio}: together they ask for more than a whole batch",
                    self.attack.poison_ratio
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a setting decides which others there are.
fn is_name(path: &str) -> bool {
    path == "scenario" || path.ends_with(".name")
}

fn get<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((head, rest)) => get(table.get(head)?.as_table()?, rest),
    }
}

fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((head, rest)) => {
            if let Some(inner) = table.entry(head).or_insert_with(|| Value::Table(Table::new())).as_table_mut() {
                put(inner, rest, value);
            }
        }
    }
}

/// Dotted paths of every value in a table.
fn paths(table: &Table) -> Vec<String> {
    let mut out = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => out.extend(paths(inner).into_iter().map(|p| format!("{key}.{p}"))),
            _ => out.push(key.clone()),
        }
    }
    out
}

fn unknown(path: &str, known: &Table, origin: &str) -> SpecError {
    let here = paths(known);
    let section = path.split_once('.').map(|(head, _)| format!("{head}."));
    let allowed: Vec<String> = match &section {
        Some(section) if here.iter().any(|p| p.starts_with(section)) => here.iter().filter(|p| p.starts_with(section)).cloned().collect(),
        _ => here.clone(),
    };
    let close = closest(path, here.iter().map(String::as_str));
    SpecError::UnknownKey { origin: origin.to_owned(), path: path.to_owned(), close, allowed }
}

fn check_values(table: &Table, origin: &str) -> Result<(), SpecError> {
    FIELDS.iter().filter_map(|f| get(table, f.path).map(|v| (f, v))).try_for_each(|(f, v)| check_value(f, v, origin))
}

fn check_value(field: &Field, value: &Value, origin: &str) -> Result<(), SpecError> {
    let number = value.as_float().or_else(|| value.as_integer().map(|i| i as f64));
    let fine = match field.kind {
        Kind::Choice(words) => value.as_str().is_some_and(|s| words.contains(&s)),
        Kind::Integer { min, max, .. } => value.as_integer().is_some_and(|i| (min..=max).contains(&i)),
        Kind::Number { min, max, .. } => number.is_some_and(|n| (min..=max).contains(&n)),
        Kind::Switch => value.is_bool(),
        Kind::Text => value.is_str(),
        Kind::Integers => value.as_array().is_some_and(|a| a.iter().all(Value::is_integer)),
    };
    if fine { Ok(()) } else { Err(refused(field, &value.to_string(), origin)) }
}

fn refused(field: &Field, value: &str, origin: &str) -> SpecError {
    let close = match field.kind {
        Kind::Choice(words) => closest(value.trim_matches('"'), words.iter().copied()),
        _ => None,
    };
    SpecError::Value { origin: origin.to_owned(), path: field.path.to_owned(), value: value.to_owned(), allowed: allowed(field.kind), close }
}

fn allowed(kind: Kind) -> String {
    match kind {
        Kind::Choice(words) => words.join(" | "),
        Kind::Integer { min, max: i64::MAX, .. } => format!("a whole number from {min}"),
        Kind::Integer { min, max, .. } => format!("a whole number {min}..{max}"),
        Kind::Number { min, max, .. } => format!("a number {min}..{max}"),
        Kind::Switch => "true | false".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Integers => "whole numbers separated by commas, for instance 16,32,64".to_owned(),
    }
}

/// The value that `text` stands for in `field`.
fn parse(field: &Field, text: &str, origin: &str) -> Result<Value, SpecError> {
    let no = || refused(field, text, origin);
    let text = text.trim();
    let value = match field.kind {
        Kind::Choice(_) | Kind::Text => Value::String(text.to_owned()),
        Kind::Integer { .. } => Value::Integer(text.parse().map_err(|_| no())?),
        Kind::Number { .. } => Value::Float(text.parse().map_err(|_| no())?),
        Kind::Switch => Value::Boolean(text.parse().map_err(|_| no())?),
        Kind::Integers => {
            let items = text.trim_matches(['[', ']']).split(',').map(|item| item.trim().parse().map(Value::Integer).map_err(|_| no()));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
    };
    check_value(field, &value, origin)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(changes: &[(&str, &str)]) -> Result<RunSpec, SpecError> {
        let changes: Vec<_> = changes.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        RunSpec::default().with_all(&changes, "--set")
    }

    #[test]
    fn every_setting_of_every_variant_is_in_the_table() {
        let scenarios = [Scenario::Standalone, Scenario::Transfer, Scenario::Encoder];
        for (scenario, data) in scenarios.into_iter().flat_map(|s| super::super::Data::NAMES.map(|data| (s, data))) {
            let of = |path| scenario.choices(path).unwrap();
            for ((attack, defense), model) in
                of("attack.name").iter().flat_map(|a| of("defense.name").iter().flat_map(move |d| of("model.name").iter().map(move |m| ((a, d), m))))
            {
                let changes =
                    [("scenario", scenario.name()), ("data.name", data), ("attack.name", attack), ("defense.name", defense), ("model.name", model)];
                let spec = set(&changes).unwrap();
                for path in paths(&spec.to_table()) {
                    assert!(field::find(&path).is_some(), "{path} is missing in FIELDS");
                }
                assert_eq!(spec, RunSpec::from_table(&spec.to_table(), "itself").unwrap());
            }
        }
    }

    #[test]
    fn every_choice_belongs_to_a_scenario() {
        for (path, all) in [
            ("attack.name", &super::super::Attack::NAMES[..]),
            ("defense.name", &super::super::Defense::NAMES),
            ("model.name", &super::super::Model::NAMES),
        ] {
            let offered: Vec<_> = [Scenario::Standalone, Scenario::Encoder].into_iter().flat_map(|s| s.choices(path).unwrap()).collect();
            assert_eq!(offered, all.iter().collect::<Vec<_>>(), "{path}");
        }
    }

    #[test]
    fn a_scenario_brings_its_own_attack_defense_and_network() {
        let there = set(&[("scenario", "encoder"), ("attack.epochs", "7")]).unwrap();
        assert_eq!((there.attack.name(), there.defense.name(), there.model.name()), ("badencoder", "classifier-only", "resnet-small"));
        assert_eq!((there.attack.epochs, there.attack.lr), (7, 1e-3));
        assert!(there.pretrain.is_some() && there.downstream.is_some());
        let back = there.with("scenario", "standalone", "test").unwrap();
        assert_eq!((back.attack.name(), back.model.name(), back.pretrain), ("badnets", "preact-small", None));
        fails(&[("scenario", "encoder"), ("attack.poison_ratio", "0.2")], &["attack.poison_ratio", "attack.reference"]);
        fails(&[("scenario", "encoder"), ("attack.name", "wanet")], &["attack.name = wanet", "the scenario encoder has badencoder"]);
        fails(&[("attack.name", "badencoder")], &["the scenario standalone has badnets"]);
        fails(&[("scenario", "encoder"), ("attack.target", "10")], &["digits has classes 0..9"]);
    }

    #[test]
    fn changing_a_name_drops_the_old_ones_settings() {
        let spec = set(&[("defense.lr", "0.01"), ("defense.name", "fine-tuning"), ("defense.epochs", "12")]).unwrap();
        assert_eq!(spec.defense.method, Method::FineTuning(crate::spec::FineTuning { lr: 0.01 }));
        assert_eq!(spec.defense.epochs, 12);
        let abl = set(&[("defense.name", "abl")]).unwrap();
        assert_eq!((abl.defense.weight_decay, abl.with("defense.name", "nad", "test").unwrap().defense.weight_decay), (1e-4, 5e-4));
        let files = set(&[("data.train", "500"), ("data.name", "cifar10")]).unwrap().data;
        assert_eq!(files, crate::spec::Data::Cifar10(crate::spec::Files { train: 500, test: 0 }));
        let spec = set(&[("attack.name", "blended"), ("attack.alpha", "0.3")]).unwrap();
        assert!(matches!(spec.attack.trigger, Trigger::Blended(b) if b.alpha == 0.3));
    }

    #[track_caller]
    fn fails(changes: &[(&str, &str)], words: &[&str]) {
        let message = set(changes).unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "`{message}` lacks `{word}`");
        }
    }

    #[test]
    fn errors_name_key_value_and_what_is_allowed() {
        fails(&[("defense.lr_mx1", "0.3")], &["--set", "defense.lr_mx1", "did you mean `defense.lr_max1`"]);
        fails(&[("defense.lr_max1", "11")], &["defense.lr_max1 = 11", "0.000001..10"]);
        fails(&[("defense.epochs", "many")], &["defense.epochs = many", "1..2000"]);
        fails(&[("attack.name", "badnet")], &["badnet", "badnets | blended | lf", "did you mean `badnets`"]);
        fails(&[("attack.alpha", "0.2")], &["attack.alpha", "attack.patch"]);
        fails(&[("attack.target", "12")], &["attack.target = 12", "signs-12 has classes 0..11"]);
        fails(&[("data.size_min", "1.0")], &["data.size_min", "data.size_max"]);
    }
}
