//! CIFAR-10 and CIFAR-100 in their official binary form: records of label bytes and 3,072 bytes of planes.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::disk::{self, Part, Progress, Store};
use super::source::{self, Source};
use super::{DataDirs, DataError, Images, Split};

/// What tells the two sets apart.
pub struct Layout {
    set: &'static str,
    /// Folder inside the official archive.
    folder: &'static str,
    /// Training batches, in order.
    train: &'static [&'static str],
    test: &'static [&'static str],
    /// Label bytes of a record and how many values each may have; the last one is the label.
    labels: &'static [(&'static str, u8)],
    /// Class names, in the order of the labels.
    classes: &'static [&'static str],
}

/// CIFAR-10.
pub const CIFAR10: Layout = Layout {
    set: "cifar10",
    folder: "cifar-10-batches-bin",
    train: &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
    test: &["test_batch.bin"],
    labels: &[("label", 10)],
    classes: &["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
};

/// CIFAR-100, with its fine classes.
pub const CIFAR100: Layout = Layout {
    set: "cifar100",
    folder: "cifar-100-binary",
    train: &["train.bin"],
    test: &["test.bin"],
    labels: &[("coarse label", 20), ("fine label", 100)],
    classes: &FINE,
};

#[rustfmt::skip]
const FINE: [&str; 100] = [
    "apple", "aquarium fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn mower", "leopard", "lion", "lizard", "lobster", "man", "maple tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak tree", "orange", "orchid", "otter", "palm tree", "pear", "pickup truck", "pine tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow tree", "wolf", "woman", "worm",
];

const SHAPE: [usize; 3] = [3, 32, 32];
/// Bytes of an image: red, green and blue planes row by row.
const PLANES: usize = 3072;
/// Most records that are believed of one file (the official ones hold up to 50,000): 300 MB of memory.
const MOST: u64 = 100_000;

impl Layout {
    /// Bytes of a record.
    fn record(&self) -> usize {
        self.labels.len() + PLANES
    }

    fn files(&self, part: Part) -> &'static [&'static str] {
        match part {
            Part::Train => self.train,
            Part::Test => self.test,
        }
    }
}

/// One of the two, found.
pub struct Cifar {
    layout: &'static Layout,
    folder: PathBuf,
}

impl Cifar {
    /// Finds the folder that holds the batches.
    pub fn find(layout: &'static Layout, dirs: &DataDirs) -> Result<Self, DataError> {
        let marks = [layout.train, layout.test].concat();
        let found = dirs.find(layout.folder, &marks);
        let folder = found.ok_or_else(|| disk::missing(layout.set, format!("{}/{}", layout.folder, layout.train[0]), dirs))?;
        Ok(Self { layout, folder })
    }

    /// Reads the first `limit` images of some batches, all of them when it is 0.
    ///
    /// Every file is checked for being there and for its length, also where its records are not needed.
    fn batches(&self, files: &[&str], limit: usize, progress: Progress) -> Result<Split, DataError> {
        let lengths = files.iter().map(|file| self.records(file)).collect::<Result<Vec<_>, _>>()?;
        let wanted = disk::within(limit, lengths.iter().sum());
        let mut split = Split { images: Images::with_capacity(SHAPE, wanted), labels: Vec::with_capacity(wanted) };
        for (file, records) in files.iter().zip(lengths) {
            let take = records.min(wanted - split.len());
            if take == 0 {
                break;
            }
            let path = self.folder.join(file);
            read_records(self.layout, source::open(&path)?, &path, take, &mut split)?;
            progress(split.len(), wanted);
        }
        Ok(split)
    }

    /// Whole records in a batch, by its length.
    fn records(&self, file: &str) -> Result<usize, DataError> {
        let path = self.folder.join(file);
        let length = source::length(&path)?.ok_or_else(|| disk::incomplete(self.layout.set, file, &self.folder))?;
        let record = self.layout.record() as u64;
        let (records, rest) = (length / record, length % record);
        let damaged = |offset, found: String, expected: String| Err(DataError::Damaged { file: path.clone(), offset, found, expected });
        if length == 0 {
            return damaged(0, "the end of the file".into(), format!("records of {record} bytes"));
        }
        if rest != 0 {
            return damaged(records * record, format!("{rest} bytes before the end of the file"), format!("a whole record of {record} bytes"));
        }
        if records > MOST {
            return damaged(MOST * record, "more records".into(), format!("at most {MOST} in a file"));
        }
        Ok(records as usize)
    }
}

impl Store for Cifar {
    fn place(&self) -> &Path {
        &self.folder
    }

    fn classes(&self) -> Vec<String> {
        self.layout.classes.iter().map(ToString::to_string).collect()
    }

    fn read(&self, part: Part, limit: usize, progress: Progress) -> Result<Split, DataError> {
        self.batches(self.layout.files(part), limit, progress)
    }

    fn check(&self) -> Result<Vec<String>, DataError> {
        let mut lines = vec![self.folder.display().to_string()];
        for file in self.layout.train.iter().chain(self.layout.test) {
            let split = self.batches(&[file], 0, &mut |_, _| {})?;
            lines.push(format!("{file}: {} records, {}, ok", split.len(), disk::spread(&split.labels, self.layout.classes.len())));
        }
        Ok(lines)
    }
}

/// Appends `take` records of a source to `split`; `file` is named where something is wrong.
fn read_records(layout: &Layout, reader: impl Read, file: &Path, take: usize, split: &mut Split) -> Result<(), DataError> {
    let mut source = Source::new(reader, file);
    let mut record = vec![0; layout.record()];
    let (labels, planes) = (layout.labels, layout.labels.len());
    for index in 0..take {
        let offset = source.offset();
        source.exact(&mut record, &format!("record {index}"))?;
        for (at, ((name, values), found)) in labels.iter().zip(&record).enumerate() {
            if found >= values {
                let expected = format!("a {name} from 0 to {}", values - 1);
                return Err(source.damaged(offset + at as u64, format!("{name} {found}"), expected));
            }
        }
        split.labels.push(u16::from(record[planes - 1]));
        split.images.push(&record[planes..]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn batch(labels: &[u8]) -> Vec<u8> {
        let record = |(i, &label): (usize, &u8)| std::iter::once(label).chain((0..PLANES).map(move |at| (at * 7 + i * 31) as u8)).collect::<Vec<_>>();
        labels.iter().enumerate().flat_map(record).collect()
    }

    const RECORD: usize = 1 + PLANES;
    const TRAIN: &[&str] = CIFAR10.train;

    /// A folder with six batches of four records each.
    fn set() -> (tempfile::TempDir, DataDirs) {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join(CIFAR10.folder);
        fs::create_dir(&inner).unwrap();
        for (i, file) in TRAIN.iter().chain(CIFAR10.test).enumerate() {
            fs::write(inner.join(file), batch(&[i as u8, 9, 0, 5])).unwrap();
        }
        let dirs = DataDirs { dirs: vec![root.path().join("elsewhere"), root.path().to_owned()], ..DataDirs::default() };
        (root, dirs)
    }

    fn ten(dirs: &DataDirs) -> Cifar {
        Cifar::find(&CIFAR10, dirs).unwrap()
    }

    fn parse(bytes: &[u8], take: usize) -> Result<Split, DataError> {
        let mut split = Split { images: Images::with_capacity(SHAPE, 0), labels: Vec::new() };
        read_records(&CIFAR10, bytes, Path::new("batch.bin"), take, &mut split).map(|()| split)
    }

    #[test]
    fn batches_are_read_in_order_and_the_first_ones_on_request() {
        let (_root, dirs) = set();
        let set = ten(&dirs);
        let mut seen = Vec::new();
        let all = set.read(Part::Train, 0, &mut |done, total| seen.push((done, total))).unwrap();
        assert_eq!((all.len(), &all.labels[..5], seen.len(), seen[4]), (20, &[0, 9, 0, 5, 1][..], 5, (20, 20)));
        let six = set.read(Part::Train, 6, &mut |_, _| {}).unwrap();
        assert_eq!(six, all.clone().first(6, "train").unwrap());
        assert_eq!(all.images.get(0)[..3], [0, 7, 14]);
        assert!(all.first(21, "train").unwrap_err().to_string().contains("21 images were asked for, 20 are there"));
    }

    #[test]
    fn the_folder_itself_serves_too() {
        let (root, dirs) = set();
        let inner = root.path().join(CIFAR10.folder);
        assert_eq!(ten(&DataDirs { dirs: vec![inner.clone()], ..DataDirs::default() }).folder, inner);
        assert_eq!(ten(&dirs).folder, inner);
        assert_eq!(ten(&dirs).check().unwrap().len(), 7);
    }

    #[test]
    fn nothing_found_lists_where_it_was_looked_for() {
        let dirs = DataDirs { dirs: vec!["/nowhere/at/all".into()], ..DataDirs::default() };
        let words = Cifar::find(&CIFAR10, &dirs).err().unwrap().to_string();
        assert!(words.contains("/nowhere/at/all") && words.contains("--data-dir"), "{words}");
    }

    #[test]
    fn each_damage_is_named_with_file_and_place() {
        let good = batch(&[1, 2]);
        let mut wrong = good.clone();
        wrong[RECORD] = 10;
        let cases: [(&[u8], &str); 4] = [
            (&[], "at byte 0: the end of the file"),
            (&good[..RECORD - 1], "at byte 0: 3072 bytes before the end"),
            (&[&good[..], &[3]].concat(), "at byte 6146: 1 bytes before the end"),
            (&wrong, "at byte 3073: label 10; expected a label from 0 to 9"),
        ];
        for (bytes, words) in cases {
            let (_root, dirs) = set();
            let set = ten(&dirs);
            fs::write(set.folder.join(TRAIN[3]), bytes).unwrap();
            let error = set.read(Part::Train, 0, &mut |_, _| {}).unwrap_err().to_string();
            assert!(error.contains("data_batch_4.bin") && error.contains(words), "{error}");
            assert_eq!(set.check().unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn a_missing_batch_is_told_even_where_it_is_not_needed() {
        let (_root, dirs) = set();
        let set = ten(&dirs);
        fs::remove_file(set.folder.join(TRAIN[4])).unwrap();
        let error = set.read(Part::Train, 2, &mut |_, _| {}).unwrap_err();
        assert!(matches!(error, DataError::Missing { ref file, .. } if file == "data_batch_5.bin"), "{error}");
        fs::create_dir(set.folder.join(TRAIN[4])).unwrap();
        assert!(set.read(Part::Train, 2, &mut |_, _| {}).is_err());
    }

    #[test]
    fn the_fine_label_of_cifar100_is_its_second_byte() {
        let root = tempfile::tempdir().unwrap();
        let record = |coarse: u8, fine: u8| [vec![coarse, fine], vec![fine; PLANES]].concat();
        fs::write(root.path().join("train.bin"), [record(19, 99), record(0, 7)].concat()).unwrap();
        fs::write(root.path().join("test.bin"), record(3, 50)).unwrap();
        let set = Cifar::find(&CIFAR100, &DataDirs { dirs: vec![root.path().to_owned()], ..DataDirs::default() }).unwrap();
        let split = set.read(Part::Train, 0, &mut |_, _| {}).unwrap();
        assert_eq!((&split.labels[..], split.images.get(1)[3071]), (&[99, 7][..], 7));
        assert_eq!((set.classes().len(), set.classes()[99].as_str(), set.check().unwrap().len()), (100, "worm", 3));
        for (bytes, words) in
            [(record(20, 1), "at byte 0: coarse label 20; expected a coarse label from 0 to 19"), (record(1, 100), "at byte 1: fine label 100")]
        {
            fs::write(root.path().join("test.bin"), bytes).unwrap();
            assert!(set.check().unwrap_err().to_string().contains(words));
        }
    }

    #[test]
    fn a_source_that_ends_early_is_truncated() {
        let error = parse(&batch(&[1, 2])[..RECORD + 100], 2).unwrap_err().to_string();
        assert_eq!(error, "batch.bin: at byte 3173: the end of the file; expected 2973 more bytes of record 1");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn records_survive_the_round_trip(labels in prop::collection::vec(0..10_u8, 1..5), salt: u8) {
            let mut bytes = batch(&labels);
            bytes.iter_mut().enumerate().filter(|(i, _)| i % RECORD != 0).for_each(|(_, b)| *b ^= salt);
            let split = parse(&bytes, labels.len()).unwrap();
            let again: Vec<u8> =
                (0..split.len()).flat_map(|i| [&[split.labels[i] as u8][..], split.images.get(i)].concat()).collect();
            prop_assert_eq!(bytes, again);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..8000), take in 0..4_usize) {
            match parse(&bytes, take) {
                Ok(split) => prop_assert!(split.len() == take && split.labels.iter().all(|&l| l < 10)),
                Err(error) => prop_assert!(error.to_string().contains("batch.bin: at byte")),
            }
        }

        #[test]
        fn arbitrary_files_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..8000)) {
            let (_root, dirs) = set();
            let set = ten(&dirs);
            fs::write(set.folder.join(CIFAR10.test[0]), bytes).unwrap();
            let _ = (set.check(), set.read(Part::Test, 1, &mut |_, _| {}));
        }
    }
}
