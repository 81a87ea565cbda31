//! What a step works on.

/// Tokens of prompts that a copy of attention takes in during a step, at most: the usual budget of chunked prefill.
pub(super) const CHUNK: f64 = 8192.0;
/// Fewest tokens of prompts that a program is compiled for.
const LEAST_BUCKET: f64 = 128.0;

/// What a step works on, in the whole replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Sequences that get a token.
    pub sequences: f64,
    /// Positions that each of them sees.
    pub context: f64,
    /// Positions that the longest of them may come to see.
    pub longest: f64,
    /// Tokens of prompts that are taken in.
    pub prefill: f64,
    /// Length of the prompts that they belong to.
    pub prompt: f64,
    /// Tokens of each sequence that are checked at once: one, and those that were drafted.
    pub checked: f64,
}

impl Load {
    /// Nothing to do.
    pub const NOTHING: Load =
        Load { sequences: 0.0, context: 0.0, longest: 0.0, prefill: 0.0, prompt: 0.0, checked: 1.0 };

    pub(super) fn half(self) -> Load {
        Load { sequences: self.sequences / 2.0, prefill: self.prefill / 2.0, ..self }
    }

    /// Tokens of prompts in the busiest of some copies of attention: a prompt lies in one of them.
    pub(super) fn busiest_prefill(&self, copies: f64) -> f64 {
        (self.prefill / copies).max(self.prefill.min(self.prompt).min(CHUNK))
    }

    /// The work of programs that were compiled for fixed shapes: each copy of attention runs a power of two of sequences,
    /// every one with the longest context, and takes in a power of two of tokens of prompts.
    ///
    /// As vLLM on Neuron has it where nothing else is set (aws-neuron/aws-neuron-sdk at 81ce03ae, vllm-neuron/docs/design/
    /// vllm, 2026-06-23): `num_seqs_buckets` are powers of two from 1, `num_batched_tokens_buckets` from 128, and a decode
    /// step reads the blocks of the longest sequence.
    pub(super) fn padded(self, copies: f64) -> Load {
        let up = |x: f64, least: f64| if x > 0.0 { x.max(least).log2().ceil().exp2() } else { 0.0 };
        let (chunks, rest) = ((self.prefill / CHUNK).floor(), self.prefill % CHUNK);
        Load {
            sequences: copies * up(self.sequences / copies, 1.0),
            context: self.longest.max(self.context),
            prefill: chunks * CHUNK + up(rest, LEAST_BUCKET),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_shapes_are_powers_of_two() {
        let load =
            Load { sequences: 33.0, context: 1500.0, longest: 2048.0, prefill: 40.0, prompt: 1000.0, checked: 1.0 };
        let padded = load.padded(1.0);
        assert_eq!((padded.sequences, padded.context, padded.prefill), (64.0, 2048.0, 128.0));
        // Sixteen and a half sequences of each of two copies; a whole chunk, and the rest of it.
        let two = Load { prefill: 9000.0, ..load }.padded(2.0);
        assert_eq!((two.sequences, two.prefill), (64.0, 8192.0 + 1024.0));
        let exact = Load { sequences: 32.0, prefill: 512.0, ..load }.padded(1.0);
        assert_eq!((exact.sequences, exact.prefill), (32.0, 512.0));
        assert_eq!(Load { longest: 10.0, ..Load::NOTHING }.padded(1.0).sequences, 0.0);
    }

    #[test]
    fn a_prompt_lies_in_one_copy() {
        let load = |prefill, prompt| Load { prefill, prompt, ..Load::NOTHING };
        assert_eq!(load(1000.0, 1000.0).busiest_prefill(8.0), 1000.0);
        assert_eq!(load(64_000.0, 1000.0).busiest_prefill(8.0), 8000.0);
        assert_eq!(load(20_000.0, 20_000.0).busiest_prefill(8.0), CHUNK);
        assert_eq!(load(20_000.0, 20_000.0).busiest_prefill(1.0), 20_000.0);
    }
}
