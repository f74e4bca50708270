//! Families of presets: one file that stands for the cells of a table, so that sixty cells are not sixty files.
//!
//! ```toml
//! title = "Paper"                    # paper.toml
//! [[variants]]                       # one choice of each list: the names go to the end of the preset's name
//! [variants.cifar10]                 # a variant is written as a preset is: title, about, settings
//! title = "CIFAR-10"
//! data.name = "cifar10"
//! [[variants]]
//! [variants.lf]                      # paper-cifar10-lf
//! title = "LF"
//! attack.name = "lf"
//! with.cifar10.attack.colour = [18, 0, 51]    # only together with that variant
//! [variants.""]                      # adds nothing to the name
//! ```

use toml::{Table, Value};

/// The key that makes a file a family.
const KEY: &str = "variants";
/// Settings of a variant that hold only together with another one.
const WITH: &str = "with";

/// What the chosen variants add to a family's own words and settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen {
    /// Their parts of the title.
    pub titles: Vec<String>,
    /// Their parts of the explanation.
    pub abouts: Vec<String>,
    /// Settings to lay over, one after the other: each variant's own, then those that hold where two are together.
    pub settings: Vec<Table>,
}

/// The lists of a family, or why there is none to choose from.
fn lists(table: &Table) -> Result<Vec<&Table>, String> {
    let lists = match table.get(KEY) {
        None => return Ok(Vec::new()),
        Some(Value::Array(lists)) if !lists.is_empty() => lists.iter().map(Value::as_table).collect::<Option<Vec<_>>>(),
        Some(_) => None,
    };
    let tables = |list: &Table| !list.is_empty() && list.values().all(Value::is_table);
    lists.filter(|lists| lists.iter().all(|list| tables(list))).ok_or_else(|| format!("{KEY}: allowed are lists [[{KEY}]] of tables [{KEY}.NAME]"))
}

/// Every way of taking one variant of each list; empty where the file is no family.
///
/// # Errors
/// When the variants are not written as they should be.
pub fn choices(table: &Table) -> Result<Vec<Vec<String>>, String> {
    let lists = lists(table)?;
    let start = if lists.is_empty() { Vec::new() } else { vec![Vec::new()] };
    let longer = |chosen: Vec<Vec<String>>, list: &&Table| {
        chosen.into_iter().flat_map(|before| list.keys().map(move |name| [before.as_slice(), &[name.clone()]].concat())).collect()
    };
    Ok(lists.iter().fold(start, longer))
}

/// The name of the preset that a family called `stem` has for `chosen`.
pub fn name(stem: &str, chosen: &[String]) -> String {
    std::iter::once(stem).chain(chosen.iter().map(String::as_str)).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// Takes the variants out of `table`; what the `chosen` ones add to the rest.
///
/// # Errors
/// When a variant is not written as it should be, or too few or too many are chosen.
pub fn take(table: &mut Table, chosen: &[String]) -> Result<Chosen, String> {
    let (mut out, mut together) = (Chosen::default(), Vec::new());
    let lists = lists(table)?;
    if lists.len() != chosen.len() {
        let put = "put it into `presets` of the configuration directory, and `tuneout presets` lists them";
        return Err(format!("{KEY}: this file stands for several presets and is none itself; {put}"));
    }
    let known = |name: &str| lists.iter().any(|list| list.contains_key(name));
    for (list, name) in lists.iter().zip(chosen) {
        let mut own = list.get(name).and_then(Value::as_table).cloned().unwrap_or_default();
        let within = |why: String| format!("{KEY}.{name}: {why}");
        out.titles.push(words(&mut own, "title").map_err(within)?);
        out.abouts.push(words(&mut own, "about").map_err(within)?);
        let more = pairs(&mut own, known).map_err(within)?;
        together.extend(chosen.iter().filter_map(|other| more.get(other)?.as_table().cloned()));
        out.settings.push(own);
    }
    out.settings.append(&mut together);
    table.remove(KEY);
    Ok(out)
}

/// Takes a text out of a table.
///
/// # Errors
/// When it is no text.
pub fn words(table: &mut Table, key: &str) -> Result<String, String> {
    match table.remove(key) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("{key} = {other}: allowed is text")),
    }
}

/// Takes the settings out of a variant that hold together with others, by the others' names.
fn pairs(variant: &mut Table, known: impl Fn(&str) -> bool) -> Result<Table, String> {
    let pairs = match variant.remove(WITH) {
        None => Table::new(),
        Some(Value::Table(pairs)) if pairs.values().all(Value::is_table) => pairs,
        Some(other) => return Err(format!("{WITH} = {other}: allowed are tables [{WITH}.VARIANT]")),
    };
    match pairs.keys().find(|name| !known(name)) {
        Some(name) => Err(format!("{WITH}.{name}: there is no variant of that name")),
        None => Ok(pairs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family() -> Table {
        let text = r#"
            [[variants]]
            [variants.a]
            title = "A"
            seed = 1
            [variants.b]
            with.x.seed = 5
            [[variants]]
            [variants.x]
            about = "X."
            seed = 9
            [variants.""]
        "#;
        text.parse().unwrap()
    }

    #[test]
    fn every_combination_has_a_name() {
        let names: Vec<_> = choices(&family()).unwrap().iter().map(|chosen| name("f", chosen)).collect();
        assert_eq!(names, ["f-a", "f-a-x", "f-b", "f-b-x"]);
        assert_eq!(choices(&Table::new()), Ok(Vec::new()));
    }

    #[test]
    fn what_belongs_together_is_laid_over_last() {
        let of = |chosen: [&str; 2]| {
            let (mut table, chosen) = (family(), chosen.map(str::to_owned));
            let chosen = take(&mut table, &chosen).unwrap();
            assert!(table.is_empty());
            chosen
        };
        let seeds = |chosen: [&str; 2]| of(chosen).settings.iter().filter_map(|t| t.get("seed")?.as_integer()).collect::<Vec<_>>();
        assert_eq!([seeds(["a", "x"]), seeds(["b", "x"]), seeds(["b", ""])], [vec![1, 9], vec![9, 5], vec![]]);
        assert_eq!((of(["a", "x"]).titles, of(["a", "x"]).abouts), (vec!["A".to_owned(), String::new()], vec![String::new(), "X.".to_owned()]));
    }

    #[test]
    fn slips_are_said() {
        let of = |text: &str| take(&mut text.parse().unwrap(), &["a".to_owned()]).unwrap_err();
        let several = take(&mut family(), &[]).unwrap_err();
        assert!(several.contains("several presets") && several.contains("tuneout presets"), "{several}");
        assert!(of("variants = 3").contains("[[variants]]"));
        assert!(of("[[variants]]\na = 1").contains("[[variants]]"));
        assert!(of("[[variants]]\n[variants.a]\ntitle = 2").contains("variants.a: title = 2"));
        assert!(of("[[variants]]\n[variants.a]\nwith.z.seed = 2").contains("with.z: there is no variant"));
        assert!(of("[[variants]]\n[variants.a]\nwith.seed = 2").contains("with = "));
    }
}
