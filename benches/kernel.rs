//! The kernels on the sizes of the two networks that are trained on CIFAR-10: the small one (16/32/64 channels, batches
//! of 128) and PreAct-ResNet18 (64 to 512, batches of 64). `TUNEOUT_ISA` chooses the instruction set.

use burn::backend::Flex;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Distribution, Tensor, TensorPrimitive};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use std::fmt;
use tuneout::kernel::{self, Kernels};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    println!("instruction set: {}", kernel::isa().name());
    divan::main();
}

/// One layer's sizes: `batch` images of `channels` x `size` x `size`.
#[derive(Clone, Copy)]
struct Layer {
    batch: usize,
    channels: usize,
    out_channels: usize,
    size: usize,
    kernel: usize,
    stride: usize,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, channels, out_channels, size, kernel, stride } = self;
        write!(f, "{batch} x {channels}->{out_channels}, {size} px, {kernel}x{kernel}/{stride}")
    }
}

const fn layer(batch: usize, channels: usize, out_channels: usize, size: usize, kernel: usize, stride: usize) -> Layer {
    Layer { batch, channels, out_channels, size, kernel, stride }
}

const LAYERS: [Layer; 14] = [
    layer(128, 3, 16, 32, 3, 1),
    layer(128, 16, 16, 32, 3, 1),
    layer(128, 16, 32, 32, 3, 2),
    layer(128, 16, 32, 32, 1, 2),
    layer(128, 32, 32, 16, 3, 1),
    layer(128, 32, 64, 16, 3, 2),
    layer(128, 64, 64, 8, 3, 1),
    layer(64, 64, 64, 32, 3, 1),
    layer(64, 64, 128, 32, 3, 2),
    layer(64, 128, 128, 16, 3, 1),
    layer(64, 128, 256, 16, 3, 2),
    layer(64, 256, 256, 8, 3, 1),
    layer(64, 256, 512, 8, 3, 2),
    layer(64, 512, 512, 4, 3, 1),
];

fn random(sizes: [usize; 4]) -> FloatTensor<Flex> {
    let tensor = Tensor::<Flex, 4>::random(sizes, Distribution::Normal(0.0, 1.0), &Default::default());
    tensor.into_primitive().tensor()
}

fn vector(channels: usize) -> FloatTensor<Flex> {
    Tensor::<Flex, 1>::ones([channels], &Default::default()).into_primitive().tensor()
}

impl Layer {
    fn x(&self) -> FloatTensor<Flex> {
        random([self.batch, self.channels, self.size, self.size])
    }

    fn weight(&self) -> FloatTensor<Flex> {
        random([self.out_channels, self.channels, self.kernel, self.kernel])
    }

    fn images(&self) -> ItemsCount {
        ItemsCount::new(self.batch)
    }
}

#[divan::bench(args = LAYERS)]
fn conv2d(bencher: Bencher<'_, '_>, layer: Layer) {
    let (x, weight) = (layer.x(), layer.weight());
    bencher.counter(layer.images()).bench_local(|| Flex::conv2d_forward(x.clone(), weight.clone(), layer.stride, layer.kernel / 2));
}

fn backward(bencher: Bencher<'_, '_>, layer: Layer, wanted: [bool; 2]) {
    let (x, weight, steps) = (layer.x(), layer.weight(), [layer.stride, layer.kernel / 2]);
    let y = Flex::conv2d_forward(x.clone(), weight.clone(), steps[0], steps[1]);
    let dy = random(Tensor::<Flex, 4>::from_primitive(TensorPrimitive::Float(y)).dims());
    bencher.counter(layer.images()).bench_local(|| Flex::conv2d_backward(x.clone(), weight.clone(), dy.clone(), steps, black_box(wanted)));
}

#[divan::bench(args = LAYERS)]
fn conv2d_input_gradient(bencher: Bencher<'_, '_>, layer: Layer) {
    backward(bencher, layer, [true, false]);
}

#[divan::bench(args = LAYERS)]
fn conv2d_weight_gradient(bencher: Bencher<'_, '_>, layer: Layer) {
    backward(bencher, layer, [false, true]);
}

/// Batch norm's sizes: the planes of both networks.
const PLANES: [[usize; 4]; 7] =
    [[128, 16, 32, 32], [128, 32, 16, 16], [128, 64, 8, 8], [64, 64, 32, 32], [64, 128, 16, 16], [64, 256, 8, 8], [64, 512, 4, 4]];

#[divan::bench(args = PLANES.map(Planes))]
fn bn_relu(bencher: Bencher<'_, '_>, Planes(sizes): Planes) {
    let (x, gamma, beta) = (random(sizes), vector(sizes[1]), vector(sizes[1]));
    bencher.counter(ItemsCount::new(sizes[0])).bench_local(|| Flex::bn_relu(x.clone(), gamma.clone(), beta.clone(), 1e-5, None));
}

#[divan::bench(args = PLANES.map(Planes))]
fn bn_relu_backward(bencher: Bencher<'_, '_>, Planes(sizes): Planes) {
    let (x, gamma, beta, dy) = (random(sizes), vector(sizes[1]), vector(sizes[1]), random(sizes));
    let (_, statistics) = Flex::bn_relu(x.clone(), gamma.clone(), beta.clone(), 1e-5, None);
    bencher
        .counter(ItemsCount::new(sizes[0]))
        .bench_local(|| Flex::bn_relu_backward(x.clone(), gamma.clone(), beta.clone(), statistics.clone(), dy.clone(), true));
}

/// `[batch, channels, height, width]`
#[derive(Clone, Copy)]
struct Planes([usize; 4]);

impl fmt::Display for Planes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [batch, channels, height, width] = self.0;
        write!(f, "{batch} x {channels}, {height} x {width} px")
    }
}
