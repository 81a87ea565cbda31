//! `cargo bench -- micro`: each inner loop of the CPU alone, and its share of the arithmetic limit.

fn main() {
    farthing_benches::micro::main();
}
