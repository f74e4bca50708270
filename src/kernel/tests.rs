//! Every instruction set that this machine has, against burn's own operations, on sizes that fit no vector.

use super::shape::ConvShape;
use super::tensor::from_values;
use super::{Isa, composed, conv, norm, pool, residual};
use burn::backend::Flex;
use burn_flex::FlexTensor;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Largest error allowed, relative to the largest value.
const TOLERANCE: f32 = 1e-4;

/// A convolution to be tested.
#[derive(Clone, Copy, Debug)]
struct Case {
    x: [usize; 4],
    weight: [usize; 4],
    stride: usize,
    padding: usize,
}

impl Case {
    fn shape(&self) -> ConvShape {
        ConvShape::new(self.x, self.weight, self.stride, self.padding)
    }

    fn out(&self) -> [usize; 4] {
        let shape = self.shape();
        [shape.batch, shape.out_channels, shape.out_height, shape.out_width]
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let kernel = prop_oneof![4 => Just(3usize), 2 => Just(1usize), 1 => Just(5usize), 1 => Just(2usize)];
    let size = prop_oneof![2 => 1usize..20, 1 => Just(8usize), 1 => Just(16usize), 1 => Just(32usize)];
    (kernel, 1usize..4, 0usize..3, size.clone(), size, 1usize..5, 1usize..20, 1usize..40)
        .prop_filter("the kernel fits", |(k, _, p, h, w, ..)| *k <= h.min(w) + 2 * p)
        .prop_map(|(k, stride, padding, h, w, batch, inputs, outputs)| Case {
            x: [batch, inputs, h, w],
            weight: [outputs, inputs, k, k],
            stride,
            padding,
        })
}

/// The sizes of the networks that are trained, and a few odd ones.
fn known_cases() -> Vec<Case> {
    let case =
        |batch, inputs, outputs, size, k, stride| Case { x: [batch, inputs, size, size], weight: [outputs, inputs, k, k], stride, padding: k / 2 };
    vec![
        case(3, 3, 16, 32, 3, 1),
        case(5, 16, 16, 32, 3, 1),
        case(3, 16, 32, 32, 3, 2),
        case(3, 16, 32, 32, 1, 2),
        case(9, 32, 32, 16, 3, 1),
        case(7, 64, 64, 8, 3, 1),
        case(17, 64, 70, 4, 3, 1),
        case(40, 20, 33, 2, 3, 1),
        case(1, 96, 96, 8, 3, 1),
        case(1, 130, 128, 16, 3, 2),
        case(2, 1, 6, 28, 5, 1),
        case(3, 6, 7, 28, 3, 2),
        case(2, 9, 5, 30, 3, 3),
        case(4, 40, 24, 16, 1, 1),
        case(2, 4, 4, 1, 1, 1),
    ]
}

/// Instruction sets of this machine; says which ones it has to leave out.
fn available() -> impl Iterator<Item = Isa> {
    Isa::ALL.into_iter().filter(|isa| {
        if !isa.is_available() {
            eprintln!("skipped: this machine has no {}", isa.name());
        }
        isa.is_available()
    })
}

fn random<const D: usize>(rng: &mut ChaCha8Rng, sizes: [usize; D]) -> FlexTensor {
    let values = (0..sizes.iter().product()).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect();
    from_values(values, sizes)
}

fn values(x: &FlexTensor) -> Vec<f32> {
    x.to_contiguous().storage::<f32>().to_vec()
}

fn close(what: &str, got: &FlexTensor, expected: &FlexTensor) -> Result<(), TestCaseError> {
    close_at(what, got, expected, 1e-3)
}

/// `scale`: size of the terms that the values are sums of, where they may cancel.
fn close_at(what: &str, got: &FlexTensor, expected: &FlexTensor, scale: f32) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.layout().shape(), expected.layout().shape(), "{}: sizes", what);
    let (got, expected) = (values(got), values(expected));
    let largest = expected.iter().fold(scale, |m, v| m.max(v.abs()));
    for (i, (a, b)) in got.iter().zip(&expected).enumerate() {
        prop_assert!((a - b).abs() <= TOLERANCE * largest, "{}: value {} is {} and should be {}", what, i, a, b);
    }
    Ok(())
}

fn check_conv(case: &Case, seed: u64) -> Result<(), TestCaseError> {
    let Case { stride, padding, .. } = *case;
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let (x, weight, dy) = (random(rng, case.x), random(rng, case.weight), random(rng, case.out()));
    let y = composed::conv2d::<Flex>(x.clone(), weight.clone(), stride, padding);
    let gradients = composed::conv2d_backward::<Flex>(x.clone(), weight.clone(), dy.clone(), [stride, padding], [true, true]);
    for isa in available() {
        close(&format!("{} y", isa.name()), &conv::forward(isa, &x, &weight, stride, padding), &y)?;
        let got = conv::backward(isa, &x, &weight, &dy, [stride, padding], [true, true]);
        for ((what, got), expected) in ["dx", "dw"].into_iter().zip(&got).zip(&gradients) {
            let (Some(got), Some(expected)) = (got, expected) else { return Err(TestCaseError::fail("a gradient is missing")) };
            close(&format!("{} {what}", isa.name()), got, expected)?;
        }
    }
    Ok(())
}

fn check_norm(sizes: [usize; 4], mean: f32, evaluate: bool, seed: u64) -> Result<(), TestCaseError> {
    let (rng, epsilon) = (&mut ChaCha8Rng::seed_from_u64(seed), 1e-5);
    let channels = [sizes[1]];
    let shifted: Vec<f32> = values(&random(rng, sizes)).iter().map(|v| v * 3.0 + mean).collect();
    let (x, dy) = (from_values(shifted, sizes), random(rng, sizes));
    let (gamma, beta) = (random(rng, channels), random(rng, channels));
    let positive = values(&random(rng, channels)).iter().map(|v| v.abs() + 0.1).collect();
    let given = evaluate.then(|| (random(rng, channels), from_values(positive, channels)));
    for relu in [true, false] {
        let forward = if relu { composed::bn_relu::<Flex> } else { composed::bn::<Flex> };
        let (y, statistics) = forward(x.clone(), gamma.clone(), beta.clone(), epsilon, given.clone());
        for isa in available() {
            let (got, (got_mean, got_inv_std)) = norm::forward(isa, &x, &gamma, &beta, epsilon, given.as_ref(), relu);
            close(&format!("{} mean", isa.name()), &got_mean, &statistics.0)?;
            close(&format!("{} inv_std", isa.name()), &got_inv_std, &statistics.1)?;
            close(&format!("{} y", isa.name()), &got, &y)?;
            // on the native statistics, so that no value lies on the other side of 0
            let statistics = (got_mean, got_inv_std);
            // With few values a channel, the gradient of x is what is left of terms of this size.
            let size = |t: &FlexTensor| values(t).iter().fold(0f32, |m, v| m.max(v.abs()));
            let scale = if evaluate { 1e-3 } else { (size(&gamma) * size(&statistics.1) * size(&dy)).max(1e-3) };
            let of_batch = !evaluate;
            let expected = if relu {
                composed::bn_relu_backward::<Flex>(x.clone(), gamma.clone(), beta.clone(), statistics.clone(), dy.clone(), of_batch)
            } else {
                composed::bn_backward::<Flex>(x.clone(), gamma.clone(), statistics.clone(), dy.clone(), of_batch)
            };
            let got = norm::backward(isa, &x, &gamma, &beta, &statistics, dy.clone(), of_batch, relu);
            for ((what, got), expected) in ["dx", "dgamma", "dbeta"].into_iter().zip(&got).zip(&expected) {
                close_at(&format!("{} {what}", isa.name()), got, expected, scale)?;
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolution_agrees_with_burn(case in cases(), seed: u64) {
        check_conv(&case, seed)?;
    }

    #[test]
    fn batch_norm_agrees_with_burn(
        sizes in (2usize..7, 1usize..20, 1usize..18, 1usize..18),
        mean in -2.0f32..2.0,
        evaluate: bool,
        seed: u64,
    ) {
        check_norm([sizes.0, sizes.1, sizes.2, sizes.3], mean, evaluate, seed)?;
    }
}

#[test]
fn the_convolutions_of_the_networks_agree_with_burn() {
    for (seed, case) in known_cases().into_iter().enumerate() {
        if let Err(error) = check_conv(&case, seed as u64) {
            panic!("{case:?}: {error}");
        }
    }
}

#[test]
fn large_planes_are_normalised_in_both_modes() {
    for evaluate in [false, true] {
        if let Err(error) = check_norm([9, 3, 32, 32], 1.0, evaluate, 5) {
            panic!("evaluate {evaluate}: {error}");
        }
    }
}

/// Also that operands in use elsewhere keep their values.
#[test]
fn residual_addition_agrees_with_burn() {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    for sizes in [[3, 5, 7, 9], [2, 16, 32, 32], [1, 1, 1, 1], [0, 4, 8, 8]] {
        let (a, b, dy) = (random(rng, sizes), random(rng, sizes), random(rng, sizes));
        let y = composed::add_relu::<Flex>(a.clone(), b.clone());
        let before = values(&a);
        assert_eq!(values(&residual::forward(a.clone(), &b)), values(&y));
        assert_eq!(values(&residual::backward(&y, dy.clone())), values(&composed::add_relu_backward::<Flex>(y.clone(), dy)));
        assert_eq!(values(&a), before);
    }
}

/// To the bit: nothing is added up. Values on a coarse grid, so that many of four are alike and the first has to be found.
#[test]
fn max_pooling_agrees_with_burn() {
    let rng = &mut ChaCha8Rng::seed_from_u64(11);
    for sizes in [[3, 5, 8, 10], [2, 16, 32, 32], [4, 3, 7, 9], [2, 2, 2, 2], [3, 1, 1, 5], [0, 4, 8, 8]] {
        let coarse = values(&random(rng, sizes)).iter().map(|v| (v * 2.0).round()).collect();
        let [batch, channels, height, width] = sizes;
        let (x, dy) = (from_values(coarse, sizes), random(rng, [batch, channels, height / 2, width / 2]));
        for isa in available() {
            let y = pool::forward(isa, &x);
            let dx = pool::backward(isa, &x, &dy);
            assert_eq!((y.layout().shape().as_slice(), dx.layout().shape().as_slice()), (&[batch, channels, height / 2, width / 2][..], &sizes[..]));
            if height > 1 {
                assert_eq!(values(&y), values(&composed::max_pool2::<Flex>(x.clone())), "{isa:?} {sizes:?}");
                assert_eq!(values(&dx), values(&composed::max_pool2_backward::<Flex>(x.clone(), dy.clone())), "{isa:?} {sizes:?}");
            }
        }
    }
}

/// All results of one convolution and one normalisation, as bits.
fn bits(isa: Isa, case: &Case) -> Vec<u32> {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let (x, weight, dy) = (random(rng, case.x), random(rng, case.weight), random(rng, case.out()));
    let (gamma, beta) = (random(rng, [case.x[1]]), random(rng, [case.x[1]]));
    let steps = [case.stride, case.padding];
    let mut all = vec![conv::forward(isa, &x, &weight, case.stride, case.padding)];
    all.extend(conv::backward(isa, &x, &weight, &dy, steps, [true, true]).into_iter().flatten());
    let (y, statistics) = norm::forward(isa, &x, &gamma, &beta, 1e-5, None, true);
    all.extend(norm::backward(isa, &x, &gamma, &beta, &statistics, x.clone(), true, true));
    all.extend([y, statistics.0, statistics.1]);
    all.iter().flat_map(|t| values(t).into_iter().map(f32::to_bits)).collect()
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let with = |threads: usize, work: &(dyn Fn() -> Vec<u32> + Sync)| match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(work),
        Err(error) => panic!("no pool of {threads} threads: {error}"),
    };
    for case in known_cases() {
        for isa in available() {
            let one = with(1, &|| bits(isa, &case));
            for threads in [1, 2, 3, 7] {
                assert!(one == with(threads, &|| bits(isa, &case)), "{isa:?}, {threads} threads, {case:?}");
            }
        }
    }
}

#[test]
fn only_wanted_gradients_are_computed() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let (x, weight, dy) = (random(rng, [2, 3, 6, 6]), random(rng, [4, 3, 3, 3]), random(rng, [2, 4, 6, 6]));
    for isa in available() {
        for wanted in [[true, false], [false, true], [false, false]] {
            let got = conv::backward(isa, &x, &weight, &dy, [1, 1], wanted);
            assert_eq!(got.map(|g| g.is_some()), wanted);
        }
    }
}

#[test]
fn empty_batches_give_empty_results() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let (x, weight, dy) = (random(rng, [0, 3, 6, 6]), random(rng, [4, 3, 3, 3]), random(rng, [0, 4, 3, 3]));
    for isa in available() {
        assert!(values(&conv::forward(isa, &x, &weight, 2, 1)).is_empty());
        let [dx, dw] = conv::backward(isa, &x, &weight, &dy, [2, 1], [true, true]);
        assert!(dx.is_some_and(|dx| values(&dx).is_empty()));
        assert!(dw.is_some_and(|dw| values(&dw).iter().all(|v| *v == 0.0)));
    }
}

#[test]
fn views_are_read_as_they_look() {
    use burn::tensor::Tensor;
    let device = Default::default();
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    let (x, weight) = (random(rng, [4, 6, 9, 7]), random(rng, [5, 3, 3, 3]));
    let tensor = |t: &FlexTensor| composed::tensor::<Flex, 4>(t.clone());
    // a slice of the batch and the channels, turned on its side
    let view = tensor(&x).slice([1..3, 2..5]).swap_dims(2, 3);
    let copy = Tensor::<Flex, 4>::from_data(view.clone().into_data(), &device);
    for isa in available() {
        let of = |t: Tensor<Flex, 4>| values(&conv::forward(isa, &composed::primitive(t), &weight, 1, 1));
        assert_eq!(of(view.clone()), of(copy.clone()));
    }
    // global average pooling's gradient: one value for all pixels of a plane
    let spread = tensor(&x).mean_dims(&[2, 3]).expand([4, 6, 9, 7]);
    let copy = Tensor::<Flex, 4>::from_data(spread.clone().into_data(), &device);
    assert_eq!(values(&super::tensor::contiguous(&composed::primitive(spread))), values(&composed::primitive(copy)));
}
