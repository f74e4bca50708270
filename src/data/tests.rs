//! The drawn sets as a whole: the same everywhere, balanced, of the promised size.

use super::*;

fn sets(settings: &Synthetic) -> [Data; 3] {
    [Data::Signs12(settings.clone()), Data::Signs(settings.clone()), Data::Digits(settings.clone())]
}

fn few(train: usize, test: usize) -> Synthetic {
    Synthetic { train, test, ..Synthetic::default() }
}

fn here(data: &Data) -> Dataset {
    load(data, &DataDirs::default(), &mut |_, _| {}).unwrap()
}

/// The first images of every set. When a drawing is changed on purpose, every backdoored model that was
/// trained on it is out of date: change these with care, and say so in the changelog.
#[test]
fn the_first_images_are_the_golden_ones() {
    let found = sets(&few(24, 8)).map(|data| here(&data).fingerprint());
    assert_eq!(found, ["04642c124debec84", "3b58366576747bc9", "343d76fecbe606ab"]);
}

#[test]
fn threads_do_not_matter() {
    let data = Data::Signs12(few(300, 20));
    let with = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| here(&data));
    let (one, two) = (with(1), with(2));
    assert_eq!((one.train, one.test), (two.train, two.test));
}

#[test]
fn a_longer_set_begins_with_the_shorter_one() {
    for (short, long) in sets(&few(30, 10)).iter().zip(&sets(&few(45, 20))) {
        let (short, long) = (here(short), here(long));
        assert_eq!(short.train, long.train.first(30, "train").unwrap());
        assert_eq!(short.test, long.test.first(10, "test").unwrap());
    }
}

#[test]
fn the_preview_is_the_beginning_of_the_test_images() {
    for data in sets(&few(0, 12)) {
        assert_eq!(preview(&data, &DataDirs::default(), 5).unwrap(), here(&data).test.first(5, "test").unwrap());
        assert_eq!(preview(&data, &DataDirs::default(), 99).unwrap().len(), 12);
        assert!(preview(&data, &DataDirs::default(), 0).unwrap().is_empty());
    }
}

#[test]
fn classes_are_balanced_and_named() {
    for data in sets(&few(100, 50)) {
        let set = here(&data);
        assert_eq!((set.classes.len(), set.name.as_str()), (data.classes().unwrap(), data.name()));
        for (split, size) in [(&set.train, 100), (&set.test, 50)] {
            let mut counts = vec![0; data.classes().unwrap()];
            split.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
            assert!(counts.iter().all(|&c| c == size / data.classes().unwrap() || c == size / data.classes().unwrap() + 1), "{counts:?}");
            assert_eq!((split.len(), split.images.len(), split.images.shape), (size, size, [3, 32, 32]));
        }
    }
    assert_eq!(classes(&Data::Signs12(few(0, 0)), &DataDirs::default()).unwrap()[0], "speed limit 20");
}

#[test]
fn seeds_and_parts_differ() {
    for (first, second) in sets(&few(12, 12)).iter().zip(&sets(&Synthetic { seed: 1, ..few(12, 12) })) {
        let (first, second) = (here(first), here(second));
        assert_ne!(first.train.images, second.train.images);
        assert_ne!(first.train.images, first.test.images);
        assert_ne!(first.fingerprint(), second.fingerprint());
    }
}

#[test]
fn normalisation_is_what_the_pictures_measure() {
    for data in sets(&few(430, 0)) {
        let (set, stated) = (here(&data), normalise(&data));
        for channel in 0..3 {
            let planes = (0..set.train.len()).flat_map(|i| &set.train.images.get(i)[channel * 1024..][..1024]);
            let (sum, squares) = planes.map(|&p| f64::from(p) / 255.0).fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
            let count = (set.train.len() * 1024) as f64;
            let (mean, std) = (sum / count, (squares / count - (sum / count).powi(2)).sqrt());
            assert!((mean - f64::from(stated.mean[channel])).abs() < 0.03, "{} {channel}: mean {mean}", set.name);
            assert!((std - f64::from(stated.std[channel])).abs() < 0.03, "{} {channel}: deviation {std}", set.name);
        }
    }
}

#[test]
fn odd_settings_draw_something() {
    let nan = f64::NAN;
    for value in [nan, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1e300] {
        let odd = Synthetic {
            train: 3,
            test: 1,
            seed: u64::MAX,
            size_min: value,
            size_max: value,
            place: value,
            rotation: value,
            shear: value,
            light: value,
            blur: value,
            noise: value,
            clutter: value,
        };
        for data in sets(&odd) {
            assert_eq!(here(&data).train.len(), 3);
        }
    }
}

#[test]
fn more_than_memory_holds_is_refused() {
    let error = load(&Data::Digits(few(usize::MAX, 0)), &DataDirs::default(), &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("lower data.train"), "{error}");
}

#[test]
fn progress_ends_at_the_total() {
    let mut seen = Vec::new();
    load(&Data::Signs12(few(300, 40)), &DataDirs::default(), &mut |done, total| seen.push((done, total))).unwrap();
    assert_eq!(seen, [(256, 340), (300, 340), (340, 340)]);
}

#[test]
fn a_contact_sheet_has_a_row_for_each_class() {
    let set = here(&Data::Signs12(few(24, 0)));
    let sheet = contact_sheet(&set.train, &set.classes, 3, 2).unwrap();
    assert_eq!(sheet.height(), 12 * (64 + 2) + 2);
    let margin = sheet.width() - 3 * (64 + 2) - 2;
    assert!(margin > 100);
    // The first sample of class 0 stands in the first row, each pixel twice as wide.
    let first = set.train.labels.iter().position(|&label| label == 0).unwrap();
    let rgb = set.train.images.rgb(first);
    assert_eq!(sheet.get_pixel(margin + 7, 2 + 1).0[..], rgb[9..12]);
    assert!(contact_sheet(&set.train, &set.classes, 1000, 8).is_err());
    assert!(contact_sheet(&set.train, &["<&>".to_owned()], 1, 1).is_ok());
}

#[test]
fn drawn_sets_check_out() {
    for data in sets(&few(0, 0)) {
        let lines = check(&data, &DataDirs::default()).unwrap();
        assert!(lines[0].contains(data.name()) && lines[0].contains("ok"), "{lines:?}");
    }
}
