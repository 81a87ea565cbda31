//! Pipelines, and timed launches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::device::Context;
use crate::backend::{Clock, DeviceError, Elapsed};

/// A compiled shader and the size of its grid.
#[derive(Debug)]
pub(super) struct Kernel {
    pipeline: wgpu::ComputePipeline,
    groups: [u32; 3],
}

/// Kernels that run one after the other, each with its own buffers.
pub(super) struct Launch<'a> {
    kernels: Vec<(&'a Kernel, wgpu::BindGroup)>,
}

/// Seconds of one launch, as far as known: how many fit a submission.
#[derive(Debug)]
pub(super) struct Pace(AtomicU64);

impl Default for Pace {
    fn default() -> Pace {
        Pace(AtomicU64::new(f64::INFINITY.to_bits()))
    }
}

/// Seconds that a submission may take: drivers reset a device after about two.
const MAX_SUBMISSION_S: f64 = 0.25;
/// Launches of a submission, so that recording them stays short beside running them.
const MAX_BATCH: u64 = 4096;

impl Pace {
    fn batch(&self, left: u64) -> u64 {
        let seconds = f64::from_bits(self.0.load(Ordering::Relaxed));
        // The cast saturates, and gives 0 for a pace not known yet.
        ((MAX_SUBMISSION_S / seconds) as u64).clamp(1, MAX_BATCH).min(left)
    }

    /// The first launch may include the driver's compiler: the least time counts.
    fn learn(&self, seconds: f64) {
        let known = f64::from_bits(self.0.load(Ordering::Relaxed));
        self.0.store(known.min(seconds.max(1e-9)).to_bits(), Ordering::Relaxed);
    }
}

/// Leave to use what wgpu calls experimental: cooperative matrices alone.
pub(super) fn experimental() -> wgpu::ExperimentalFeatures {
    // SAFETY: shaders use shapes that the device lists, pointers to the element type of the matrix, and strides within
    // the workgroup's arrays (`wgsl/fragment.rs`); nothing else that is experimental is asked for.
    unsafe { wgpu::ExperimentalFeatures::enabled() }
}

impl Context {
    /// Compiles a shader that this crate wrote.
    ///
    /// # Errors
    /// The compiler refused it: a bug of the text.
    pub(super) fn kernel(&self, source: &str, groups: [u32; 3]) -> Result<Kernel, DeviceError> {
        let descriptor = wgpu::ShaderModuleDescriptor { label: None, source: wgpu::ShaderSource::Wgsl(source.into()) };
        let compiled = self.checked(0, || {
            // SAFETY:
            // - Indices: the text is this crate's own, emitted from a verified program; `wgsl/access.rs` holds every
            //   position on its axis, what tables say is clamped to the pages and axes that there are, and buffers are as long
            //   as their tensors.
            // - Loops: their counters step towards bounds that do not change.
            // - Divisors are constants of at least 1.
            let module =
                unsafe { self.device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) };
            self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: None,
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    // Shaders write workgroup memory before they read it.
                    zero_initialize_workgroup_memory: false,
                    ..Default::default()
                },
                cache: None,
            })
        });
        match compiled {
            Ok(pipeline) => Ok(Kernel { pipeline, groups }),
            Err(DeviceError::Driver(log)) => Err(DeviceError::Compiler { log, source_text: source.to_owned() }),
            Err(other) => Err(other),
        }
    }

    /// Kernels with the buffers behind their bindings.
    ///
    /// # Errors
    /// The driver refused.
    pub(super) fn launch<'a>(
        &self,
        kernels: impl IntoIterator<Item = (&'a Kernel, Vec<&'a wgpu::Buffer>)>,
    ) -> Result<Launch<'a>, DeviceError> {
        let bound = |(kernel, buffers): (&'a Kernel, Vec<&'a wgpu::Buffer>)| {
            let entries: Vec<wgpu::BindGroupEntry> = buffers
                .iter()
                .enumerate()
                .map(|(i, b)| wgpu::BindGroupEntry { binding: i as u32, resource: b.as_entire_binding() })
                .collect();
            let layout = kernel.pipeline.get_bind_group_layout(0);
            let descriptor = wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries };
            (kernel, self.device.create_bind_group(&descriptor))
        };
        Ok(Launch { kernels: self.checked(0, || kernels.into_iter().map(bound).collect())? })
    }

    /// Runs a launch `n` times back to back and blocks until it is done.
    ///
    /// # Errors
    /// The driver refused, or the device is lost.
    pub(super) fn run(&self, launch: &Launch, n: u64, pace: &Pace) -> Result<Elapsed, DeviceError> {
        let mut total = Elapsed { seconds: 0.0, clock: Clock::HostWall };
        let stamps = if self.timestamps { Some(Stamps::new(self)?) } else { None };
        let (mut left, mut all_stamped) = (n, stamps.is_some());
        let mut wall = 0.0;
        while left > 0 {
            let batch = pace.batch(left);
            let started = Instant::now();
            self.submit(launch, batch, stamps.as_ref())?;
            self.wait()?;
            let seconds = started.elapsed().as_secs_f64();
            wall += seconds;
            pace.learn(seconds / batch as f64);
            match stamps.as_ref().map(|stamps| stamps.seconds(self)).transpose()?.flatten() {
                Some(seconds) => total.seconds += seconds,
                None => all_stamped = false,
            }
            left -= batch;
        }
        if all_stamped && n > 0 {
            total.clock = Clock::DeviceTimestamp;
        } else {
            total.seconds = wall;
        }
        Ok(total)
    }

    fn submit(&self, launch: &Launch, n: u64, stamps: Option<&Stamps>) -> Result<(), DeviceError> {
        self.checked(0, || {
            let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let timestamp_writes = stamps.map(|stamps| wgpu::ComputePassTimestampWrites {
                query_set: &stamps.queries,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
            for _ in 0..n {
                for (kernel, buffers) in &launch.kernels {
                    pass.set_pipeline(&kernel.pipeline);
                    pass.set_bind_group(0, buffers, &[]);
                    let [x, y, z] = kernel.groups;
                    pass.dispatch_workgroups(x, y, z);
                }
            }
            drop(pass);
            if let Some(stamps) = stamps {
                encoder.resolve_query_set(&stamps.queries, 0..2, &stamps.resolved, 0);
            }
            self.queue.submit([encoder.finish()]);
        })
    }
}

/// Timestamps at the ends of a pass.
struct Stamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

impl Stamps {
    fn new(context: &Context) -> Result<Stamps, DeviceError> {
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let resolved = context.buffer(16, usage)?;
        let descriptor = wgpu::QuerySetDescriptor { label: None, ty: wgpu::QueryType::Timestamp, count: 2 };
        let queries = context.checked(16, || context.device.create_query_set(&descriptor))?;
        Ok(Stamps { queries, resolved })
    }

    /// Seconds between the stamps; none where the device wrote none, or none in order.
    fn seconds(&self, context: &Context) -> Result<Option<f64>, DeviceError> {
        let mut ticks = [0u64; 2];
        context.download(&self.resolved, bytemuck::cast_slice_mut(&mut ticks))?;
        let period_ns = f64::from(context.queue.get_timestamp_period());
        let [start, end] = ticks;
        Ok((start != 0 && end > start).then(|| (end - start) as f64 * period_ns * 1e-9))
    }
}
