use super::*;
use crate::backend::worker::message::Numbered;
use crate::backend::{Limits, Lowered, cpu::Cpu, naive::Naive};
use crate::inputs::Inputs;
use crate::problem::{Layout, MatmulProblem, MatmulSizes, Problem};
use crate::tile::MatmulTiling;
use crate::{DType, matmul};

/// What the asking side writes.
fn script(requests: Vec<(Request, Vec<u8>)>) -> Vec<u8> {
    let mut script = Vec::new();
    for (id, (request, bytes)) in (10..).zip(requests) {
        serde_json::to_writer(&mut script, &Numbered { id, request }).expect("plain data");
        script.push(b'\n');
        script.extend(bytes);
    }
    script
}

/// An answer and the bytes behind it.
type Said = (Answer, Vec<u8>);

/// What comes back for it, as the asking side reads it.
fn answers<B: Backend>(backend: &B, script: &[u8]) -> (Vec<Said>, Result<(), ServeError>) {
    let mut written = Vec::new();
    let ended = serve(backend, "served", &mut &script[..], &mut written);
    let mut rest = written.as_slice();
    let mut answers = Vec::new();
    while let Some((at, _)) = rest.iter().enumerate().find(|(_, byte)| **byte == b'\n') {
        let answer: Answer = serde_json::from_slice(&rest[..at]).expect("an answer");
        let (body, behind) = rest[at + 1..].split_at(answer.bytes as usize);
        answers.push((answer, body.to_vec()));
        rest = behind;
    }
    assert!(rest.is_empty(), "nothing but answers is written");
    (answers, ended)
}

fn said(answer: &Answer) -> &str {
    answer.failed.as_ref().map_or("", |failed| &failed.message)
}

fn product() -> MatmulProblem {
    let (input, output, layout) = (DType::F32, DType::F32, Layout::Kn);
    MatmulProblem::new(MatmulSizes { batch: 1, m: 5, n: 7, k: 9, input, output, layout }).expect("small")
}

#[test]
fn a_conversation_gives_the_backends_own_bytes_and_keeps_the_guard() {
    let problem = product();
    let program = matmul(&problem, &MatmulTiling { bm: 4, bn: 4, bk: 4, k_splits: 1 });
    let wrapped = Problem::Matmul(problem);
    let inputs = Inputs::random(&wrapped, 1);
    let (a, b) = (inputs.slices()[0], inputs.slices()[1]);
    let guard = [7; GUARD_BYTES];
    let size = |bytes: &[u8]| (bytes.len() + GUARD_BYTES) as u64;
    let output_bytes = wrapped.output().size_bytes();
    // Numbers are given in turn, from 1: the executable, then three buffers.
    let none = Vec::new;
    let upload = |buffer, bytes: &[u8]| (Request::Upload { buffer, bytes: size(bytes) }, [bytes, &guard].concat());
    let script = script(vec![
        (Request::Hello { protocol: PROTOCOL }, none()),
        (Request::Lower { program: Box::new(program.clone()) }, none()),
        (Request::Alloc { size: size(a) }, none()),
        (Request::Alloc { size: size(b) }, none()),
        (Request::Alloc { size: (output_bytes + GUARD_BYTES) as u64 }, none()),
        upload(2, a),
        upload(3, b),
        upload(4, &vec![0xff; output_bytes]),
        (Request::Run { executable: 1, launches: 2, inputs: vec![2, 3], output: 4 }, none()),
        (Request::Download { buffer: 4 }, none()),
        (Request::Free { buffers: vec![2], executables: vec![1] }, none()),
        (Request::Download { buffer: 2 }, none()),
    ]);
    let naive = Naive::new();
    let (answers, ended) = answers(&naive, &script);
    assert!(ended.is_ok() && answers.len() == 12);
    assert!((10..).zip(&answers).all(|(id, (answer, _))| answer.id == id));
    let hello: Hello = serde_json::from_value(answers[0].0.ok.clone().expect("greeted")).expect("a greeting");
    assert_eq!(hello.clone().checked().expect("usable"), hello);
    assert_eq!(hello, Hello::of("served", naive.device(), naive.limits()));
    let exe = naive.lower(&program).expect("it lowers");
    let lowered: Lowered = serde_json::from_value(answers[1].0.ok.clone().expect("lowered")).expect("a name");
    assert_eq!(lowered, naive.lowered(&exe));
    let mut output = vec![0; output_bytes];
    naive.run(&exe, 1, &[&a.to_vec(), &b.to_vec()], &mut output).expect("it runs");
    assert_eq!(answers[9].1, [output.as_slice(), &guard].concat());
    assert!(said(&answers[11].0).ends_with("there is no buffer 2"), "{}", said(&answers[11].0));
}

#[test]
fn what_cannot_be_answered_says_why_and_the_conversation_goes_on() {
    let lines = concat!(
        "{\"id\":1,\"do\":\"hello\",\"protocol\":2}\n",
        "{\"id\":2,\"do\":\"dance\",\"bytes\":3}\nabc",
        "{\"id\":3,\"do\":\"alloc\",\"size\":8}\n",
        "{\"id\":4,\"do\":\"run\",\"executable\":9,\"launches\":1,\"inputs\":[],\"output\":1}\n",
        "{\"id\":5,\"do\":\"probe\",\"index\":99,\"launches\":1}\n",
        "{\"id\":6,\"do\":\"alloc\",\"size\":300}\n",
        "{\"id\":7,\"do\":\"upload\",\"buffer\":1,\"bytes\":4}\nabcd",
    );
    let (answers, ended) = answers(&Naive::new(), lines.as_bytes());
    assert!(ended.is_ok());
    let expected = ["protocol 1", "unknown variant `dance`", "256 bytes", "executable 9", "probe 99", "", "of 300"];
    assert_eq!(answers.len(), expected.len());
    for ((answer, _), says) in answers.iter().zip(expected) {
        assert!(said(answer).contains(says), "`{says}` is missing from: {}", said(answer));
    }
}

#[test]
fn a_line_that_is_no_request_ends_the_conversation() {
    let ends = |text: &str| answers(&Naive::new(), text.as_bytes()).1.expect_err("no request").to_string();
    assert!(ends("hello\n").contains("no request of the worker protocol: \"hello\""));
    assert!(ends("{\"do\":\"probes\"}\n").contains("missing field `id`"));
    assert!(ends("{\"id\":1,\"do\":\"upload\",\"buffer\":1,\"bytes\":9}\nab").contains("streams failed"));
}

#[test]
fn probes_answer_by_index_and_unsupported_stays_unsupported() {
    let cpu = Cpu::new(Some(1)).expect("a CPU");
    let script = script(vec![(Request::Probes, vec![]), (Request::Probe { index: 0, launches: 1 }, vec![])]);
    let (answers, _) = answers(&cpu, &script);
    let probes: Probes = serde_json::from_value(answers[0].0.ok.clone().expect("probes")).expect("a list");
    let here: Vec<String> = cpu.probes().into_iter().map(|probe| probe.limit).collect();
    assert_eq!(probes.probes.into_iter().map(|probe| probe.limit).collect::<Vec<_>>(), here);
    let elapsed: Elapsed = serde_json::from_value(answers[1].0.ok.clone().expect("timed")).expect("a time");
    assert!(elapsed.seconds > 0.0);
    let (answer, _) = answer_of(
        1,
        Err(crate::backend::Unsupported { what: "a".into(), asked: "b".into(), limit: "c".into() }.into()),
    );
    assert!(answer.unsupported.is_some() && answer.ok.is_none() && answer.failed.is_none());
}

#[test]
fn details_that_do_not_fit_a_greeting_are_cut() {
    let mut device = Naive::new().device().clone();
    device.details.insert("driver".into(), format!("{}é\n", "x".repeat(199)));
    let limits = Limits { max_buffer_bytes: None, exp2_error: 0.0, function_error: 0.0 };
    let hello = Hello::of("served", &device, &limits).checked().expect("it fits");
    assert_eq!(hello.details["driver"], "x".repeat(199));
}
