//! Damaged data sets: each is refused in words that name the file and the place.

#[path = "common/sets.rs"]
mod sets;

use sets::{HEADER, STL, element, gz, idx_file, mat, matrix, packed, small};
use std::collections::BTreeMap;
use std::fs;
use tuneout::data::{check, load};

/// What is done to a file.
enum Change {
    /// It ends after so many bytes.
    Cut(usize),
    /// Other bytes stand there.
    Put(usize, Vec<u8>),
    /// Something follows.
    Append(Vec<u8>),
    /// It holds something else.
    Whole(Vec<u8>),
    /// It is not there.
    Gone,
    /// A folder of its name is there.
    Folder,
}
use Change::{Append, Cut, Folder, Gone, Put, Whole};

/// Carries out every change on a fresh set each; all are refused. The words are unlike each other where damages are.
#[track_caller]
fn refused(set: &str, changes: Vec<(&str, Change)>) {
    assert!(changes.len() >= 30, "{set}: {} damages only", changes.len());
    let mut words = BTreeMap::<String, usize>::new();
    for (number, (file, change)) in changes.into_iter().enumerate() {
        let root = tempfile::tempdir().unwrap();
        let data = sets::write(set, root.path());
        let path = root.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        let (gone, folder) = (matches!(change, Gone | Folder), matches!(change, Folder));
        match change {
            Cut(length) => bytes.truncate(length),
            Put(at, other) => bytes[at..at + other.len()].copy_from_slice(&other),
            Append(more) => bytes.extend(more),
            Whole(other) => bytes = other,
            Gone | Folder => {}
        }
        fs::write(&path, &bytes).unwrap();
        if gone {
            fs::remove_file(&path).unwrap();
        }
        if folder {
            fs::create_dir(&path).unwrap();
        }
        let Err(error) = check(&data, &sets::dirs(root.path())) else { panic!("{set}: damage {number} of {file} is not noticed") };
        // A run reads the same files by the same reader.
        let run = load(&data, &sets::dirs(root.path()), &mut |_, _| {});
        assert!(run.is_err(), "{set}: damage {number} of {file} is noticed by the check alone");
        let error = error.to_string().replace(root.path().to_str().unwrap(), "");
        let name = path.file_name().unwrap().to_str().unwrap().trim_end_matches(".gz");
        assert!(error.contains(name), "damage {number}: `{error}` does not name {name}");
        let place = ["at byte", "was not found", "; expected"].iter().any(|words| error.contains(words));
        assert!(place, "damage {number}: `{error}` does not name a place");
        *words.entry(error).or_default() += 1;
    }
    // Decoders of pictures have one word for every end that comes too early.
    assert!(words.values().all(|count| *count <= 10), "{set}: {words:#?}");
    if std::env::var_os("TUNEOUT_SHOW_DAMAGE").is_some() {
        words.keys().for_each(|words| println!("{words}"));
    }
}

#[test]
fn cifar10() {
    let files: Vec<String> = (1..=5).map(|i| format!("data_batch_{i}.bin")).chain(["test_batch.bin".to_owned()]).collect();
    let files: Vec<String> = files.iter().map(|file| format!("cifar-10-batches-bin/{file}")).collect();
    let damages = |file: &'static str| {
        let changes = vec![Gone, Folder, Cut(0), Cut(1), Cut(3072), Cut(3074), Append(vec![3]), Put(0, vec![10]), Put(3073, vec![255])];
        changes.into_iter().map(move |change| (file, change))
    };
    refused("cifar10", files.into_iter().flat_map(|file| damages(file.leak())).collect());
}

#[test]
fn cifar100() {
    let damages = |file| {
        let cuts = [0, 1, 2, 3073, 3075, 6147].map(Cut).into_iter();
        let labels = [(0, 20), (0, 255), (1, 100), (1, 255), (3074, 20), (3074, 200), (3075, 100), (3075, 101)];
        let labels = labels.map(|(at, label)| Put(at, vec![label])).into_iter();
        cuts.chain(labels).chain([Gone, Folder, Append(vec![0; 3073])]).map(move |change| (file, change))
    };
    refused("cifar100", damages("cifar-100-binary/train.bin").chain(damages("cifar-100-binary/test.bin")).collect());
}

#[test]
fn stl10() {
    let images = |file| {
        let changes = vec![Gone, Folder, Cut(0), Cut(1), Cut(STL - 1), Cut(STL), Cut(STL + 1), Append(vec![0]), Append(vec![0; STL])];
        changes.into_iter().map(move |change| (file, change))
    };
    let labels = |file| {
        let changes = vec![Gone, Folder, Cut(0), Cut(1), Append(vec![1]), Put(0, vec![0]), Put(1, vec![0]), Put(0, vec![11]), Put(1, vec![255])];
        changes.into_iter().map(move |change| (file, change))
    };
    let all = images("stl10_binary/train_X.bin").chain(images("stl10_binary/test_X.bin"));
    refused("stl10", all.chain(labels("stl10_binary/train_y.bin")).chain(labels("stl10_binary/test_y.bin")).collect());
}

#[test]
fn annotations() {
    let training = "GTSRB/Final_Training/Images/00007/GT-00007.csv";
    let row = |row: &str| (training, Whole(format!("{HEADER}{row}\r\n").into_bytes()));
    let good = "00000_00000.ppm;15;16;5;5;10;11;7";
    let mut changes = vec![
        (training, Gone),
        (training, Folder),
        (training, Cut(0)),
        (training, Cut(10)),
        (training, Cut(HEADER.len())),
        (training, Whole(format!("{good}\r\n").into_bytes())),
        (training, Whole(HEADER.replace(';', ",").into_bytes())),
        (training, Whole([HEADER.as_bytes(), &[0xff, 0xfe]].concat())),
        ("GTSRB/GT-final_test.csv", Gone),
        // The table that comes with the test images has no labels.
        ("GTSRB/GT-final_test.csv", Whole(HEADER.replace(";ClassId", "").into_bytes())),
        row(&format!("{good};1")),
    ];
    let fields: Vec<&str> = good.split(';').collect();
    for count in 1..8 {
        changes.push(row(&fields[..count].join(";")));
        let mut without = fields.clone();
        without[count] = "";
        changes.push(row(&without.join(";")));
    }
    for width in ["-1", "1.5", "wide", "65536", "99999999999999999999", "0x10", "1 5"] {
        changes.push(row(&good.replace(";15;", &format!(";{width};"))));
    }
    for class in ["43", "-1", "6"] {
        changes.push(row(&good.replace(";7", &format!(";{class}"))));
    }
    for name in ["../00000_00000.ppm", "/etc/passwd.ppm", "a\\b.ppm", "", ".ppm", "00000_00000.png", "a b.ppm", "00000_00000.ppm\0"] {
        changes.push(row(&good.replace("00000_00000.ppm", name)));
    }
    refused("gtsrb", changes);
}

#[test]
fn a_table_and_its_pictures_agree() {
    for row in ["00000_00000.ppm;14;16;5;5;10;11;7", "00000_00000.ppm;15;15;5;5;10;11;7", "missing.ppm;15;16;5;5;10;11;7"] {
        let root = tempfile::tempdir().unwrap();
        let data = sets::write("gtsrb", root.path());
        sets::put(root.path(), "GTSRB/Final_Training/Images/00007/GT-00007.csv", format!("{HEADER}{row}\r\n"));
        let error = check(&data, &sets::dirs(root.path())).unwrap_err().to_string();
        assert!(error.contains("as the table says") || error.contains("missing.ppm was not found"), "{error}");
    }
}

#[test]
fn ppm() {
    let file = "GTSRB/Final_Training/Images/00003/00000_00000.ppm";
    let text = |text: &str| (file, Whole(text.as_bytes().to_vec()));
    let length = "P6\n15 16\n255\n".len() + 15 * 16 * 3;
    let mut changes: Vec<(&str, Change)> = (0..14).map(|length| (file, Cut(length))).collect();
    changes.extend([
        (file, Gone),
        (file, Folder),
        (file, Cut(length / 2)),
        (file, Cut(length - 1)),
        (file, Append(vec![0])),
        (file, Put(1, b"5".to_vec())),
    ]);
    changes.extend(
        ["P3\n1 1\n255\n1 1 1", "P6\n0 16\n255\n", "P6\n15 0\n255\n", "P6\n-1 16\n255\n", "P6\nwide 16\n255\n", "P6\n4097 16\n255\n"].map(text),
    );
    changes.extend(
        ["P6\n15 4097\n255\n", "P6\n99999999999 16\n255\n", "P6\n15\n", "P6\n15 16\n0\n", "P6\n15 16\n254\n", "P6\n15 16\n65535\n"].map(text),
    );
    changes.extend(
        ["P6\n15 16\n65536\n", "P6\n15 16\n", "P6\n15 16\n255", "P6\n15 16\n255x", "P6 # never ends", "P615 16\n255\n", "P6\n4096 4096\n255\nx"]
            .map(text),
    );
    refused("gtsrb", changes);
}

#[test]
fn matlab() {
    let file = "svhn/train_32x32.mat";
    let [x, y] = sets::digits(3);
    let with = |elements: &[&[u8]]| (file, Whole(mat(&elements.iter().map(|e| packed(e)).collect::<Vec<_>>())));
    let plain = |elements: &[&[u8]]| (file, Whole(mat(&elements.iter().map(|e| e.to_vec()).collect::<Vec<_>>())));
    let labels = |class, dims: &[i32], kind, data: &[u8]| with(&[&x, &matrix("y", class, dims, kind, data)]);
    let images = |class, dims: &[i32], kind, data: &[u8]| with(&[&matrix("X", class, dims, kind, data), &y]);
    let pixels = sets::noise(3072 * 3, 1);
    let doubles = |values: [f64; 3]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let broken = |at: usize, byte: u8| {
        let mut bytes = packed(&x);
        bytes[at] ^= byte;
        (file, Whole(mat(&[bytes, packed(&y)])))
    };
    let mut complex = x.clone();
    complex[8 + 8 + 1] = 8;
    let mut long = x.clone();
    long[8] = 7;
    // 30 MB of zeros in 30 KB, under dimensions that do not tell of them.
    let bomb = [matrix("X", 9, &[32, 32, 3, 3], 2, &pixels), vec![0; 30_000_000]].concat();
    let mut claim = mat(&[packed(&x)]);
    claim[132..136].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut changes = vec![
        (file, Gone),
        (file, Folder),
        (file, Cut(0)),
        (file, Cut(1)),
        (file, Cut(127)),
        (file, Cut(128)),
        (file, Cut(132)),
        (file, Cut(136)),
        (file, Cut(1000)),
        (file, Put(124, vec![1, 0, b'M', b'I'])),
        (file, Put(124, vec![0, 2, b'I', b'M'])),
        (file, Put(126, b"XX".to_vec())),
        (file, Put(130, vec![9])),
        (file, Whole(claim)),
        (file, Append(vec![0; 4])),
        broken(8, 1),
        broken(20, 255),
        broken(3000, 255),
        broken(packed(&x).len() - 1, 1),
        plain(&[&x[..x.len() - 8]]),
        with(&[&x]),
        with(&[&y]),
        with(&[&complex, &y]),
        with(&[&long, &y]),
        with(&[&bomb, &y]),
        with(&[&x[..100], &y]),
        labels(6, &[3, 1], 2, &[0, 1, 2]),
        labels(6, &[3, 1], 2, &[1, 2, 11]),
        labels(6, &[3, 1], 9, &doubles([1.0, 2.5, 3.0])),
        labels(6, &[3, 1], 9, &doubles([1.0, f64::NAN, 3.0])),
        labels(6, &[3, 1], 9, &doubles([-1.0, 2.0, 3.0])),
        labels(6, &[2, 1], 2, &[1, 2]),
        labels(6, &[4, 1], 2, &[1, 2, 3, 4]),
        labels(6, &[2, 2], 2, &[1, 2, 3, 4]),
        labels(6, &[0, 1], 2, &[]),
        labels(2, &[3, 1], 2, &[1, 2, 3]),
        images(9, &[31, 32, 3, 3], 2, &pixels[..31 * 32 * 9]),
        images(9, &[32, 32, 3], 2, &pixels[..3072]),
        images(9, &[32, 32, 1, 9], 2, &pixels),
        images(9, &[32, 32, 3, 3, 1], 2, &pixels),
        images(9, &[32, 32, 3, -1], 2, &pixels),
        images(9, &[i32::MAX, i32::MAX, i32::MAX, 3], 2, &pixels),
        images(9, &[32, 32, 3, 4], 2, &pixels),
        images(9, &[96 * 96], 2, &pixels),
        images(9, &[1; 9], 2, &pixels),
        images(9, &[32, 32, 3, 3], 1, &pixels),
        images(1, &[32, 32, 3, 3], 2, &pixels),
    ];
    changes.push(plain(&[&x, &element(14, &small(6, &[0; 4])), &[6, 0, 5, 0, 0, 0, 0, 0]]));
    refused("svhn", changes);
}

#[test]
fn idx() {
    let (images, labels) = ("idx/train-images-idx3-ubyte", "idx/train-labels-idx1-ubyte");
    let (more, names) = ("idx/t10k-images-idx3-ubyte.gz", "idx/t10k-labels-idx1-ubyte.gz");
    let file = |file, dims: &[u32], count| (file, Whole(idx_file(dims, &vec![1; count])));
    let zipped = |file, dims: &[u32], count| (file, Whole(gz(&idx_file(dims, &vec![1; count]))));
    let mut changes: Vec<(&str, Change)> = [images, labels, more, names]
        .into_iter()
        .flat_map(|file| [(file, Gone), (file, Folder), (file, Cut(0)), (file, Cut(3)), (file, Cut(7))])
        .collect();
    changes.extend([images, labels].into_iter().flat_map(|file| {
        [(file, Append(vec![0])), (file, Put(0, vec![1])), (file, Put(2, vec![9])), (file, Put(3, vec![2])), (file, Put(7, vec![5]))]
    }));
    changes.extend([
        (images, Cut(15)),
        (images, Cut(16)),
        (images, Cut(900)),
        file(images, &[3, 28, 28], 3 * 784),
        file(images, &[4, 0, 28], 0),
        file(images, &[4, 1, 513], 4 * 513),
        file(images, &[u32::MAX; 3], 4),
        file(labels, &[0], 0),
        file(labels, &[u32::MAX], 4),
        zipped(more, &[3, 28, 28], 3 * 784),
        zipped(more, &[2, 28, 28], 3 * 784),
        zipped(more, &[2, 28, 28], 784),
        zipped(more, &[u32::MAX; 3], 784),
        zipped(more, &[2, 4_000_000, 28], 784),
        zipped(names, &[2], 1),
        zipped(names, &[2], 3),
        (more, Put(0, vec![0])),
        (more, Put(2, vec![0])),
        (more, Cut(900)),
        (names, Whole(b"no gzip".to_vec())),
    ]);
    refused("idx", changes);
}

#[test]
fn pictures() {
    let (png, jpg, ppm) = ("own/train/ants/a.png", "own/train/bees/b.jpg", "own/test/bees/c.ppm");
    let bytes = sets::picture(image::ImageFormat::Png, 20, 12);
    let mut changes: Vec<(&str, Change)> =
        [0, 1, 7, 8, 15, 20, 29, 33, 40, 60, bytes.len() / 2, bytes.len() - 20].map(|length| (png, Cut(length))).into();
    let jpeg = sets::picture(image::ImageFormat::Jpeg, 24, 24).len();
    changes.extend([0, 1, 2, 10, 100, 300, jpeg - 100, jpeg - 2].map(|length| (jpg, Cut(length))));
    changes.extend([0, 1, 2, 5, 10, 30].map(|length| (ppm, Cut(length))));
    changes.extend([
        (png, Folder),
        (png, Put(0, vec![0])),
        (png, Put(16, vec![0xff])),
        (png, Put(19, vec![0])),
        (png, Put(24, vec![77])),
        (png, Put(45, vec![0; 8])),
        (jpg, Whole(b"this is no picture".to_vec())),
        (jpg, Whole(bytes[..50].to_vec())),
        (ppm, Append(vec![1])),
        (ppm, Put(1, vec![b'5'])),
    ]);
    refused("folder", changes);
}

#[test]
fn folders_that_make_no_set() {
    let cases: [(&[&str], &str); 4] = [
        (&["own/train", "own/test"], "0 folders with pictures"),
        (&["own/train/ants"], "1 folders with pictures"),
        (&["own/test/ants", "own/test/bees"], "no picture for the test"),
        (&["own/test"], "test"),
    ];
    for (gone, words) in cases {
        let root = tempfile::tempdir().unwrap();
        let data = sets::write("folder", root.path());
        gone.iter().for_each(|folder| fs::remove_dir_all(root.path().join(folder)).unwrap());
        let error = check(&data, &sets::dirs(root.path())).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let root = tempfile::tempdir().unwrap();
    let data = sets::write("folder", root.path());
    fs::rename(root.path().join("own/test/bees"), root.path().join("own/test/wasps")).unwrap();
    assert!(check(&data, &sets::dirs(root.path())).unwrap_err().to_string().contains("test/wasps without train/wasps"));
}
