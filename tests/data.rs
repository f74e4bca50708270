//! Real data: the official files, or cuts of them, in the folder that `TUNEOUT_TEST_DATA` names.
//!
//! Run with `--ignored`; without the data these tests fail, so that a run that saw none is not taken for a pass.

use std::path::{Path, PathBuf};
use tuneout::data::{DataDirs, Dataset, check, load, preview};
use tuneout::spec::data::{Data, Files, Resized};

fn root() -> PathBuf {
    std::env::var_os("TUNEOUT_TEST_DATA").map(PathBuf::from).expect("TUNEOUT_TEST_DATA names a folder")
}

/// The folder above all samples: each set is found by its name, one folder further down.
fn dirs() -> DataDirs {
    DataDirs { dirs: vec![root()], ..DataDirs::default() }
}

fn whole(data: &Data) -> Dataset {
    load(data, &dirs(), &mut |_, _| {}).unwrap()
}

/// Mean of a channel over the training images, in 0..1.
fn mean(set: &Dataset, channel: usize) -> f64 {
    let plane = set.train.images.stride() / 3;
    let planes = (0..set.train.len()).flat_map(|i| &set.train.images.get(i)[channel * plane..][..plane]);
    planes.map(|&p| f64::from(p)).sum::<f64>() / (set.train.len() * plane * 255) as f64
}

/// Mean difference of neighbours along rows and along columns, in grey levels: pictures whose bytes are taken in the
/// wrong order are noise.
fn roughness(set: &Dataset) -> (f64, f64) {
    let step = |offset: usize| {
        let pairs = (0..set.train.len()).flat_map(|i| {
            let green = &set.train.images.get(i)[1024..2048];
            (0..1024 - offset).map(move |at| f64::from(green[at].abs_diff(green[at + offset])))
        });
        pairs.sum::<f64>() / (set.train.len() * (1024 - offset)) as f64
    };
    (step(1), step(32))
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn every_sample_is_read_and_checks_out() {
    let sets = [
        (Data::Cifar100(Files::default()), (1_117, 616)),
        (Data::Gtsrb(Resized::default()), (5_070, 1_032)),
        (Data::Svhn(Files::default()), (735, 148)),
        (Data::Stl10(Resized::default()), (180, 90)),
    ];
    for (data, counts) in sets {
        let set = whole(&data);
        assert_eq!((set.train.len(), set.test.len()), counts, "{}", set.name);
        let (row, column) = roughness(&set);
        assert!(row < 20.0 && column < 20.0, "{}: {row} {column}", set.name);
        assert_eq!(preview(&data, &dirs(), 7).unwrap(), set.test.first(7, "test").unwrap());
        assert!(check(&data, &dirs()).unwrap().len() >= 3);
    }
    let lossless = DataDirs { dirs: vec![root().join("cifar-10-lossless")], ..DataDirs::default() };
    let set = load(&Data::Cifar10(Files::default()), &lossless, &mut |_, _| {}).unwrap();
    assert_eq!((set.train.len(), set.test.len()), (8_000, 800));
}

/// Thirty damages of a file: cuts within it, more at its end, nothing in it.
fn damages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let odd = |share: usize| (bytes.len() * share / 27) | 1;
    let mut all: Vec<Vec<u8>> = (0..27).map(|share| bytes[..odd(share).min(bytes.len() - 1)].to_vec()).collect();
    all.extend([Vec::new(), [bytes, &[7]].concat(), b"this is something else".to_vec()]);
    all
}

/// A folder of links to everything in `from`, and where the file `name` goes, which is left out.
fn copy_but(from: &Path, to: &Path, name: &str) -> Option<PathBuf> {
    let mut found = None;
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        match (entry.path().is_dir(), entry.file_name() == name && found.is_none()) {
            (true, _) => found = copy_but(&entry.path(), &there, name).or(found),
            (false, true) => found = Some(there),
            (false, false) => std::fs::hard_link(entry.path(), &there).or_else(|_| std::fs::copy(entry.path(), &there).map(drop)).unwrap(),
        }
    }
    found
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn every_sample_is_refused_thirty_times_when_damaged() {
    let sets = [
        (Data::Cifar10(Files::default()), "cifar-10-lossless", "test_batch.bin"),
        (Data::Cifar100(Files::default()), "cifar-100-binary", "test.bin"),
        (Data::Gtsrb(Resized::default()), "GTSRB-fullsize", "00000.ppm"),
        (Data::Svhn(Files::default()), "svhn", "test_32x32.mat"),
        (Data::Stl10(Resized::default()), "stl10_FORMAT_SAMPLE_from_cifar10", "test_X.bin"),
    ];
    for (data, folder, name) in sets {
        let copy = tempfile::tempdir().unwrap();
        let file = copy_but(&root().join(folder), &copy.path().join(folder), name).unwrap_or_else(|| panic!("{folder} has no {name}"));
        let good = std::fs::read(find(&root().join(folder), name)).unwrap();
        let dirs = DataDirs { dirs: vec![copy.path().to_owned()], ..DataDirs::default() };
        std::fs::write(&file, &good).unwrap();
        assert!(check(&data, &dirs).is_ok(), "{folder}");
        let damages = damages(&good);
        assert_eq!(damages.len(), 30);
        for (number, bytes) in damages.into_iter().enumerate() {
            std::fs::write(&file, bytes).unwrap();
            let Err(error) = check(&data, &dirs).map_err(|e| e.to_string()) else { panic!("{name}: damage {number} is not noticed") };
            let place = ["at byte", "was not found", "; expected"].iter().any(|words| error.contains(words));
            assert!(error.contains(name) && place, "{name}, damage {number}: {error}");
        }
    }
}

fn find(dir: &Path, name: &str) -> PathBuf {
    fn look(dir: &Path, name: &str) -> Option<PathBuf> {
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).find_map(|path| match path.is_dir() {
            true => look(&path, name),
            false => (path.file_name()? == name).then_some(path),
        })
    }
    look(dir, name).unwrap()
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn normalisation_is_near_what_the_samples_measure() {
    for data in [Data::Cifar100(Files::default()), Data::Svhn(Files::default())] {
        let set = whole(&data);
        for channel in 0..3 {
            let (found, stated) = (mean(&set, channel), f64::from(set.normalise.mean[channel]));
            assert!((found - stated).abs() < 0.02, "{} channel {channel}: {found}, not {stated}", set.name);
        }
    }
}

/// The same pictures in two formats: of which one has its columns first, its labels from 1, and its classes in another
/// order.
#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn the_stl10_sample_holds_the_cifar10_pictures_it_was_made_from() {
    let stl = load(&Data::Stl10(Resized { size: 32, ..Resized::default() }), &dirs(), &mut |_, _| {}).unwrap();
    let lossless = DataDirs { dirs: vec![root().join("cifar-10-lossless")], ..DataDirs::default() };
    let cifar = load(&Data::Cifar10(Files::default()), &lossless, &mut |_, _| {}).unwrap();
    let distance = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>() as f64 / a.len() as f64;
    let mut matched = 0;
    for image in (0..stl.train.len()).step_by(9) {
        let all = [&cifar.train, &cifar.test].into_iter().flat_map(|split| (0..split.len()).map(move |i| (split, i)));
        let (found, split, index) =
            all.map(|(split, i)| (distance(stl.train.images.get(image), split.images.get(i)), split, i)).min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        if found < 6.0 {
            let (here, there) = (&stl.classes[usize::from(stl.train.labels[image])], &cifar.classes[usize::from(split.labels[index])]);
            assert_eq!(here.replace("car", "automobile"), *there, "image {image}");
            matched += 1;
        }
    }
    assert!(matched >= 1, "no picture of the sample is among the 8,800");
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn blue_signs_are_blue_and_red_ones_red() {
    let set = whole(&Data::Gtsrb(Resized::default()));
    let middle = |class: u16, channel: usize| {
        let images = (0..set.train.len()).filter(|&i| set.train.labels[i] == class);
        images.map(|i| u64::from(set.train.images.get(i)[channel * 1024 + 16 * 32 + 8])).sum::<u64>()
    };
    // 38 keep right and 33 turn right are blue; 14 stop and 17 no entry red.
    assert!([33, 38].iter().all(|&class| middle(class, 2) > middle(class, 0)));
    assert!([14, 17].iter().all(|&class| middle(class, 0) > middle(class, 2)));
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn cifar10_checks_out() {
    let lines = check(&Data::Cifar10(Files::default()), &dirs()).unwrap();
    assert_eq!(lines.iter().filter(|line| line.ends_with("ok")).count(), 6, "{lines:?}");
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn cifar10_has_its_known_colours_and_every_class() {
    let set = load(&Data::Cifar10(Files { train: 5000, test: 500 }), &dirs(), &mut |_, _| {}).unwrap();
    assert_eq!((set.train.len(), set.test.len()), (5000, 500));
    for channel in 0..3 {
        let planes = (0..5000).flat_map(|i| &set.train.images.get(i)[channel * 1024..][..1024]);
        let mean = planes.map(|&p| f64::from(p)).sum::<f64>() / (5000.0 * 1024.0 * 255.0);
        assert!((mean - f64::from(set.normalise.mean[channel])).abs() < 0.01, "channel {channel}: {mean}");
    }
    for class in 0..10 {
        let count = set.train.labels.iter().filter(|&&label| label == class).count();
        assert!((350..650).contains(&count), "{count} of class {class}");
    }
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn cifar10_pictures_stand_upright() {
    // Neighbours resemble each other along both axes when planes, rows and columns are taken in the right order.
    let set = load(&Data::Cifar10(Files { train: 300, test: 1 }), &dirs(), &mut |_, _| {}).unwrap();
    let step = |offset: usize| {
        let pairs = (0..300).flat_map(|i| {
            let green = &set.train.images.get(i)[1024..2048];
            (0..1024 - offset).map(|at| f64::from(green[at].abs_diff(green[at + offset])))
        });
        pairs.sum::<f64>() / (300 * (1024 - offset)) as f64
    };
    assert!(step(1) < 20.0 && step(32) < 20.0 && step(16) > 1.5 * step(32), "{} {} {}", step(1), step(32), step(16));
    // Sky lies above ships and airplanes: the upper third is brighter than the lower one.
    let light = |rows: std::ops::Range<usize>| {
        let outdoors = (0..300).filter(|&i| matches!(set.train.labels[i], 0 | 8));
        outdoors.flat_map(|i| &set.train.images.get(i)[2048..][rows.start * 32..rows.end * 32]).map(|&p| f64::from(p)).sum::<f64>()
    };
    assert!(light(0..10) > light(22..32));
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn the_preview_is_the_beginning_of_the_test_batch() {
    let data = Data::Cifar10(Files { train: 10, test: 20 });
    let all = load(&data, &dirs(), &mut |_, _| {}).unwrap().test;
    assert_eq!(preview(&data, &dirs(), 7).unwrap(), all.first(7, "test").unwrap());
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn more_than_there_is_is_refused() {
    let data = Data::Cifar10(Files { train: 10_000_000, test: 1 });
    let words = load(&data, &dirs(), &mut |_, _| {}).unwrap_err().to_string();
    assert!(words.contains("train: 10000000 images were asked for"), "{words}");
}
