//! What is written in an official format is read back: every pixel, label and class, and none of the traps.

#[path = "common/sets.rs"]
mod sets;

use proptest::prelude::*;
use sets::{HEADER, gz, idx_file, mat, matrix, packed, put};
use tuneout::data::{Dataset, Part, check, load, sample};
use tuneout::spec::data::{Data, Files, Located, Resized};

const SETS: [&str; 8] = ["cifar10", "cifar100", "stl10", "stl10-unlabeled", "gtsrb", "svhn", "idx", "folder"];

#[track_caller]
fn read(data: &Data, dir: &std::path::Path) -> Dataset {
    load(data, &sets::dirs(dir), &mut |_, _| {}).unwrap()
}

/// The same pixel of an image whose columns lie one after the other.
fn column_major(side: usize, plane: usize, row: usize, column: usize) -> usize {
    plane * side * side + column * side + row
}

#[test]
fn every_set_is_read_limited_sampled_and_checked() {
    for name in SETS {
        let root = tempfile::tempdir().unwrap();
        let (data, dirs) = (sets::write(name, root.path()), sets::dirs(root.path()));
        assert_eq!(data.name(), name);
        let mut told = Vec::new();
        let set = load(&data, &dirs, &mut |done, total| told.push((done, total))).unwrap();
        assert!(set.train.len() >= 2 && set.test.len() >= 2, "{name}");
        assert_eq!((set.train.images.shape, set.train.images.len()), ([3, 32, 32], set.train.len()), "{name}");
        assert!(told.iter().all(|(done, total)| done <= total) && told.last().is_some_and(|(done, total)| done == total), "{name}");
        assert!(data.classes().is_none_or(|classes| classes == set.classes.len()), "{name}");
        assert_eq!(set.classes, tuneout::data::classes(&data, &dirs).unwrap());
        assert!(set.train.labels.iter().all(|&label| usize::from(label) < set.classes.len()), "{name}");
        for (part, whole) in [(Part::Train, &set.train), (Part::Test, &set.test)] {
            assert_eq!(&sample(&data, &dirs, part, 99).unwrap(), whole, "{name}");
            assert_eq!(sample(&data, &dirs, part, 1).unwrap(), whole.select(&[0]), "{name}");
            assert!(sample(&data, &dirs, part, 0).unwrap().is_empty());
        }
        assert!(check(&data, &dirs).unwrap().len() >= 3, "{name}");
        assert!(set.has_class(set.classes.len() as u16 - 1).is_ok());
        let words = set.has_class(set.classes.len() as u16).unwrap_err().to_string();
        assert!(words.contains("attack.target") && words.contains(name), "{words}");
    }
}

#[test]
fn more_than_there_is_is_refused_everywhere() {
    let root = tempfile::tempdir().unwrap();
    sets::write("svhn", root.path());
    let error = load(&Data::Svhn(Files { train: 4, test: 0 }), &sets::dirs(root.path()), &mut |_, _| {}).unwrap_err().to_string();
    assert!(error.contains("4 images were asked for, 3 are there"), "{error}");
}

#[test]
fn what_is_missing_is_told_with_the_way_to_it() {
    let root = tempfile::tempdir().unwrap();
    for data in [Data::Cifar100(Files::default()), Data::Stl10(Resized::default()), Data::Gtsrb(Resized::default()), Data::Svhn(Files::default())] {
        let error = check(&data, &sets::dirs(root.path())).unwrap_err().to_string();
        assert!(error.contains(root.path().to_str().unwrap()) && error.contains(&format!("tuneout data fetch {}", data.name())), "{error}");
    }
}

#[test]
fn stl10_stands_upright_and_counts_from_1() {
    let root = tempfile::tempdir().unwrap();
    let mut image = vec![0; sets::STL];
    // Red falls from the top row, green from the left column.
    for (row, column) in (0..96).flat_map(|row| (0..96).map(move |column| (row, column))) {
        image[column_major(96, 0, row, column)] = row as u8;
        image[column_major(96, 1, row, column)] = column as u8;
    }
    for part in ["train", "test"] {
        put(root.path(), &format!("stl10_binary/{part}_X.bin"), &image);
        put(root.path(), &format!("stl10_binary/{part}_y.bin"), [10]);
    }
    let set = read(&Data::Stl10(Resized { size: 96, ..Resized::default() }), root.path());
    let planes = set.train.images.get(0);
    assert_eq!((planes[96], planes[95], planes[9216], planes[9217]), (1, 0, 0, 1));
    assert_eq!((set.train.labels[0], set.classes[9].as_str(), set.classes[1].as_str()), (9, "truck", "bird"));
    // Smaller, it still stands upright, and each pixel is about the mean of nine.
    let set = read(&Data::Stl10(Resized::default()), root.path());
    let planes = set.test.images.get(0);
    assert!((0..30).all(|i| planes[32 * (i + 1)] == 3 * (i as u8 + 1) + 1 && planes[1024 + i + 1] == 3 * (i as u8 + 1) + 1), "{planes:?}");
}

#[test]
fn test_labels_of_gtsrb_come_from_the_table_wherever_it_lies() {
    for place in ["GTSRB/GT-final_test.csv", "GTSRB/Final_Test/GT-final_test.csv", "GTSRB/Final_Test/Images/GT-final_test.csv", "GT-final_test.csv"] {
        let root = tempfile::tempdir().unwrap();
        let data = sets::write("gtsrb", root.path());
        std::fs::rename(root.path().join("GTSRB/GT-final_test.csv"), root.path().join("moved")).unwrap();
        std::fs::rename(root.path().join("moved"), root.path().join(place)).unwrap();
        assert_eq!(read(&data, root.path()).test.labels, [40, 41, 42]);
    }
}

#[test]
fn a_limit_of_gtsrb_is_a_small_copy_of_the_whole() {
    let root = tempfile::tempdir().unwrap();
    sets::write("gtsrb", root.path());
    // Class 5 has 60 pictures of two drives, each of its own shade; the others have one each.
    let rows: String = (0..60).map(|i| format!("{:05}_{:05}.ppm;15;15;0;0;1;1;5\n", i / 30, i % 30)).collect();
    let folder = "GTSRB/Final_Training/Images/00005";
    put(root.path(), &format!("{folder}/GT-00005.csv"), format!("{HEADER}{rows}"));
    for i in 0..60 {
        let pixels = vec![if i < 30 { 10 } else { 200 }; 675];
        put(root.path(), &format!("{folder}/{:05}_{:05}.ppm", i / 30, i % 30), [b"P6 15 15 255\n", &pixels[..]].concat());
    }
    let few = read(&Data::Gtsrb(Resized { train: 34, ..Resized::default() }), root.path());
    let all = read(&Data::Gtsrb(Resized::default()), root.path());
    assert_eq!((all.train.len(), few.train.labels.iter().filter(|&&label| label == 5).count()), (102, 30));
    assert_eq!(few.train, all.train.first(34, "train").unwrap());
    let dark = (0..34).filter(|&i| few.train.labels[i] == 5 && few.train.images.get(i)[0] == 10).count();
    assert_eq!(dark, 15);
}

#[test]
fn ten_is_zero_and_columns_are_rows_in_svhn() {
    let root = tempfile::tempdir().unwrap();
    let mut image = vec![0; 3072];
    image[column_major(32, 2, 5, 7)] = 250;
    let x = matrix("X", 9, &[32, 32, 3, 2], 2, &[image, vec![1; 3072]].concat());
    let doubles: Vec<u8> = [10.0_f64, 9.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    // The order of the arrays, their packing and the type of the labels are the writer's affair; others may stand by.
    let more = matrix("remarks", 4, &[1, 2], 4, &[65, 0, 66, 0]);
    put(root.path(), "train_32x32.mat", mat(&[packed(&matrix("y", 6, &[2, 1], 9, &doubles)), packed(&more), packed(&x)]));
    put(root.path(), "test_32x32.mat", mat(&[more, x, matrix("y", 9, &[1, 2], 2, &[10, 9])]));
    let set = read(&Data::Svhn(Files::default()), root.path());
    assert_eq!((&set.train.labels[..], &set.test.labels[..]), (&[0, 9][..], &[0, 9][..]));
    assert_eq!(set.train.images.get(0)[2048 + 5 * 32 + 7], 250);
    assert_eq!(set.train.images, set.test.images);
}

#[test]
fn small_grey_images_stand_in_the_middle_and_fashion_has_names() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("Fashion-MNIST");
    for part in ["train", "t10k"] {
        put(&folder, &format!("{part}-images-idx3-ubyte.gz"), gz(&idx_file(&[10, 28, 28], &[200; 7840])));
        put(&folder, &format!("{part}-labels-idx1-ubyte"), idx_file(&[10], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    }
    let path = folder.to_str().unwrap().to_owned();
    let set = read(&Data::Idx(Located { path: path.clone(), ..Located::default() }), root.path());
    let plane = &set.train.images.get(3)[1024..2048];
    assert_eq!((plane[2 * 32 + 1], plane[2 * 32 + 2], plane[29 * 32 + 29], plane[30 * 32 + 2]), (0, 200, 200, 0));
    assert_eq!((set.classes.len(), set.classes[9].as_str()), (10, "ankle boot"));
    let small = read(&Data::Idx(Located { path, size: 16, ..Located::default() }), root.path());
    assert_eq!(small.train.images.get(0), [200; 768]);
}

#[test]
fn an_undivided_folder_keeps_every_fifth_picture_for_the_test() {
    let root = tempfile::tempdir().unwrap();
    for (class, shade) in [("b class", 1), ("A", 2), ("c", 3)] {
        (0..10).for_each(|i| put(root.path(), &format!("{class}/{i}.ppm"), [b"P6 1 1 255\n", &[shade, i, 0][..]].concat()));
    }
    put(root.path(), "A/notes.txt", "no picture");
    put(root.path(), ".hidden/x.ppm", "not looked at");
    let set = read(&Data::Folder(Located { path: root.path().to_str().unwrap().to_owned(), size: 8, ..Located::default() }), root.path());
    assert_eq!(set.classes, ["A", "b class", "c"]);
    assert_eq!((set.train.len(), &set.test.labels[..]), (24, &[0, 1, 2, 0, 1, 2][..]));
    let second: Vec<u8> = (0..6).map(|i| set.test.images.get(i)[64]).collect();
    assert_eq!(second, [4, 4, 4, 9, 9, 9]);
    assert_eq!(set.test.images.get(0)[..64], [2; 64]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn svhn_survives_the_round_trip(labels in prop::collection::vec(1..=10_u8, 1..6), salt: u64, pack: bool, kind in 0..3_usize) {
        let root = tempfile::tempdir().unwrap();
        let count = labels.len() as i32;
        let pixels = sets::noise(3072 * labels.len(), salt);
        let doubles = || labels.iter().flat_map(|&l| f64::from(l).to_le_bytes()).collect();
        let words = || labels.iter().flat_map(|&l| u16::from(l).to_le_bytes()).collect();
        let (kind, data): (u32, Vec<u8>) = [(2, labels.clone()), (9, doubles()), (4, words())][kind].clone();
        let elements = [matrix("X", 9, &[32, 32, 3, count], 2, &pixels), matrix("y", 6, &[count, 1], kind, &data)];
        let elements = elements.map(|element| if pack { packed(&element) } else { element });
        put(root.path(), "train_32x32.mat", mat(&elements));
        put(root.path(), "test_32x32.mat", mat(&elements));
        let set = read(&Data::Svhn(Files::default()), root.path());
        prop_assert_eq!(set.train.labels, labels.iter().map(|&l| u16::from(l % 10)).collect::<Vec<_>>());
        for image in 0..labels.len() {
            for at in (0..3072).step_by(7) {
                let (plane, row, column) = (at / 1024, at % 1024 / 32, at % 32);
                prop_assert_eq!(set.train.images.get(image)[at], pixels[image * 3072 + column_major(32, plane, row, column)]);
            }
        }
    }

    #[test]
    fn idx_survives_the_round_trip(labels in prop::collection::vec(0..=255_u8, 1..5), salt: u64, pack: bool, side in 8..40_usize) {
        let root = tempfile::tempdir().unwrap();
        let pixels = sets::noise(side * side * labels.len(), salt);
        let write = |name: &str, bytes: Vec<u8>| {
            if pack { put(root.path(), &format!("{name}.gz"), gz(&bytes)) } else { put(root.path(), name, bytes) }
        };
        for part in ["train", "t10k"] {
            write(&format!("{part}-images-idx3-ubyte"), idx_file(&[labels.len() as u32, side as u32, side as u32], &pixels));
            write(&format!("{part}-labels-idx1-ubyte"), idx_file(&[labels.len() as u32], &labels));
        }
        let set = read(&Data::Idx(Located { path: root.path().to_str().unwrap().to_owned(), size: side, ..Located::default() }), root.path());
        prop_assert_eq!(set.classes.len(), usize::from(*labels.iter().max().unwrap()) + 1);
        prop_assert_eq!(set.train.labels, labels.iter().map(|&l| u16::from(l)).collect::<Vec<_>>());
        for (image, grey) in pixels.chunks_exact(side * side).enumerate() {
            prop_assert_eq!(set.test.images.get(image), grey.repeat(3));
        }
    }

    #[test]
    fn ppm_survives_the_round_trip(side in 8..60_usize, salt: u64, comment in "[ -~]{0,20}") {
        let root = tempfile::tempdir().unwrap();
        let pixels = sets::noise(side * side * 3, salt);
        let text = format!("P6 # {comment}\n{side}\n#\n {side}\t255\n");
        for class in ["a", "b"] {
            (0..5).for_each(|i| put(root.path(), &format!("{class}/{i}.ppm"), [text.as_bytes(), &pixels].concat()));
        }
        let set = read(&Data::Folder(Located { path: root.path().to_str().unwrap().to_owned(), size: side, ..Located::default() }), root.path());
        prop_assert_eq!(set.train.images.rgb(0), pixels);
    }
}
