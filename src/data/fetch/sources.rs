//! Where the official files are (spec.md section 6).

/// How a file becomes part of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A tar archive, gzipped.
    TarGz,
    /// A zip archive.
    Zip,
    /// It is taken as it is.
    Plain,
}

/// A file to be downloaded.
#[derive(Clone, Copy, Debug)]
pub struct Archive {
    /// Its name.
    pub file: &'static str,
    /// MD5 in hexadecimal digits, as published.
    pub md5: &'static str,
    /// SHA-256 in hexadecimal digits, where it is known.
    pub sha256: Option<&'static str>,
    /// Length in bytes, where it is known.
    pub bytes: Option<u64>,
    /// How it becomes part of the set.
    pub form: Form,
    /// Folder into which it is unpacked, below that for data sets.
    pub into: &'static str,
}

/// A data set that can be fetched.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The data names that it serves.
    pub names: &'static [&'static str],
    /// The folder that it makes.
    pub folder: &'static str,
    /// The official address, without the files' names.
    pub base: &'static str,
    /// Its files.
    pub archives: &'static [Archive],
    /// What is downloaded and what it takes on disk.
    pub size: &'static str,
    /// Most bytes that are unpacked: a little more than it takes.
    pub most: u64,
    /// Terms of use, as far as the publisher states them.
    pub licence: &'static str,
}

const MB: u64 = 1_000_000;

/// Every set that can be fetched.
pub const SOURCES: [Source; 5] = [
    Source {
        names: &["cifar10"],
        folder: "cifar-10-batches-bin",
        base: "https://www.cs.toronto.edu/~kriz",
        archives: &[Archive {
            file: "cifar-10-binary.tar.gz",
            md5: "c32a1d4ab5d03f1284b67883e8d87530",
            sha256: Some("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
            bytes: Some(170_052_171),
            form: Form::TarGz,
            into: "",
        }],
        size: "170 MB, 184 MB on disk",
        most: 200 * MB,
        licence: "no licence stated",
    },
    Source {
        names: &["cifar100"],
        folder: "cifar-100-binary",
        base: "https://www.cs.toronto.edu/~kriz",
        archives: &[Archive {
            file: "cifar-100-binary.tar.gz",
            md5: "03b5dce01913d631647c71ecec9e9cb8",
            sha256: Some("58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"),
            bytes: None,
            form: Form::TarGz,
            into: "",
        }],
        size: "170 MB, 184 MB on disk",
        most: 200 * MB,
        licence: "no licence stated",
    },
    Source {
        names: &["stl10", "stl10-unlabeled"],
        folder: "stl10_binary",
        base: "http://ai.stanford.edu/~acoates/stl10",
        archives: &[Archive {
            file: "stl10_binary.tar.gz",
            md5: "91f7769df0f17e558f3565bffb0c7dfb",
            sha256: Some("f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866"),
            bytes: Some(2_640_397_119),
            form: Form::TarGz,
            into: "",
        }],
        size: "2.6 GB, 3.1 GB on disk",
        most: 3_300 * MB,
        licence: "from ImageNet, for research",
    },
    Source {
        names: &["gtsrb"],
        folder: "GTSRB",
        base: "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370",
        archives: &[
            Archive {
                file: "GTSRB_Final_Training_Images.zip",
                md5: "f33fd80ac59bff73c82d25ab499e03a3",
                sha256: None,
                bytes: Some(276_294_756),
                form: Form::Zip,
                into: "",
            },
            Archive {
                file: "GTSRB_Final_Test_Images.zip",
                md5: "c7e4e6327067d32654124b0fe9e82185",
                sha256: None,
                bytes: None,
                form: Form::Zip,
                into: "",
            },
            // It holds the one file without a folder.
            Archive {
                file: "GTSRB_Final_Test_GT.zip",
                md5: "fe31e9c9270bbcd7b84b7f21a9d9d9e5",
                sha256: None,
                bytes: None,
                form: Form::Zip,
                into: "GTSRB",
            },
        ],
        size: "370 MB, 0.5 GB on disk",
        most: 1_000 * MB,
        licence: "free to use; its authors ask for a citation",
    },
    Source {
        names: &["svhn"],
        folder: "svhn",
        base: "http://ufldl.stanford.edu/housenumbers",
        archives: &[
            Archive {
                file: "train_32x32.mat",
                md5: "e26dedcc434d2e4c54c9b2d4a06d8373",
                sha256: Some("435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
                bytes: Some(182_040_794),
                form: Form::Plain,
                into: "svhn",
            },
            Archive {
                file: "test_32x32.mat",
                md5: "eb5a983be6a315427106f1b164d9cef3",
                sha256: Some("cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
                bytes: Some(64_275_384),
                form: Form::Plain,
                into: "svhn",
            },
        ],
        size: "246 MB",
        most: 400 * MB,
        licence: "non-commercial use only",
    },
];

/// The source of a data name.
pub fn find(name: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.names.contains(&name))
}
