//! From words to cases: the same for a command line and for a suite file.

use farthing_kernels::DType;
use farthing_kernels::problem::{
    AttentionProblem, AttentionSizes, GroupedProblem, GroupedSizes, Kv, Layout, Mask, MatmulProblem, MatmulSizes,
    Problem, ProblemError,
};
use serde::Deserialize;

use super::range::{BETWEEN, expand};
use super::{Case, CaseError};
use crate::nearest::unknown;

/// Lists of words; every combination is a case. An empty list means its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Words {
    /// `matmul`, `grouped`, `attention`; by default whatever the shape's number of sizes says.
    pub op: Vec<String>,
    /// `MxNxK`, `MxNxKxG`, or `BxHQxHKVxSQxSKVxD[xDV]`; a size may be a range, `64..2048*2` or `64..256+64`, or `=`, the one before.
    pub shape: Vec<String>,
    /// `f32`, `f16`, `bf16`, `f8e4m3`, `f8e5m2`, `i8` (matmul only); f32 by default.
    pub dtype: Vec<String>,
    /// Type of the output: f32 by default (of i8 with scales of rows and columns), `input` for the inputs' type, or i32 for
    /// the sums of i8.
    pub out_dtype: Vec<String>,
    /// `kn`, `nk`, `nk-i4` for weights of 4 bits, `packed` for weights prepared once; kn by default. Matmul and grouped only.
    pub b: Vec<String>,
    /// `none`, `causal`, `window:N`; none by default. Attention only.
    pub mask: Vec<String>,
    /// How keys and values are kept: `input` for the inputs' type, by default, or `i8` with a scale a token. Attention only.
    pub kv: Vec<String>,
    /// Tokens of a page where keys and values lie in pages, such as 16, or `none`, by default. Attention only.
    pub page: Vec<String>,
    /// Products of a batch; 1 by default. Matmul only.
    pub batch: Vec<String>,
}

/// What a shape of each operation looks like.
struct Form {
    op: &'static str,
    sizes: &'static [usize],
    form: &'static str,
    example: &'static str,
}

const MATMUL: Form = Form { op: "matmul", sizes: &[3], form: "MxNxK", example: "1024x1024x1024" };
const GROUPED: Form = Form {
    op: "grouped",
    sizes: &[4],
    form: "MxNxKxG (M rows in G groups, each with a right operand of its own)",
    example: "512x4096x4096x8",
};
const ATTENTION: Form = Form {
    op: "attention",
    sizes: &[6, 7],
    form: "BxHQxHKVxSQxSKVxD (and xDV where values have another head size)",
    example: "1x32x8x1024x1024x128",
};

impl Words {
    /// Every combination, in the order of the lists, shapes outermost.
    ///
    /// # Errors
    /// A word that is unknown, does not parse, does not apply, or makes no problem.
    pub fn cases(&self) -> Result<Vec<Case>, CaseError> {
        let ops = self.ops()?;
        self.refuse_inapplicable(&ops)?;
        if self.shape.is_empty() {
            return Err(CaseError::NoShape);
        }
        let parsed = Parsed {
            dtypes: all_or(&self.dtype, DType::F32, dtype)?,
            outputs: all_or(&self.out_dtype, Some(DType::F32), out_dtype)?,
            layouts: all_or(&self.b, Layout::Kn, layout)?,
            masks: all_or(&self.mask, Mask::None, mask)?,
            kvs: all_or(&self.kv, Kv::Input, kv)?,
            pages: all_or(&self.page, None, page)?,
            batches: all_or(&self.batch, 1, batch)?,
        };
        let mut cases = Vec::new();
        for shape in self.shapes()? {
            let (form, sizes) = read_shape(&shape, &ops)?;
            for problem in parsed.problems(form, &sizes) {
                let problem = problem.map_err(|source| CaseError::Problem { shape: shape.clone(), source })?;
                cases.push(Case::new(problem));
            }
        }
        Ok(cases)
    }

    /// The shapes, ranges written out.
    fn shapes(&self) -> Result<Vec<String>, CaseError> {
        let mut shapes = Vec::new();
        for shape in &self.shape {
            shapes.extend(expand(shape).map_err(|why| CaseError::Unknown(format!("shape `{shape}`: {why}")))?);
        }
        Ok(shapes)
    }

    fn ops(&self) -> Result<Vec<&'static Form>, CaseError> {
        let known = |word: &String| match word.as_str() {
            "matmul" => Ok(&MATMUL),
            "grouped" => Ok(&GROUPED),
            "attention" => Ok(&ATTENTION),
            other => Err(CaseError::Unknown(unknown("op", other, &["matmul", "grouped", "attention"]))),
        };
        if self.op.is_empty() { Ok(vec![&MATMUL, &GROUPED, &ATTENTION]) } else { self.op.iter().map(known).collect() }
    }

    fn refuse_inapplicable(&self, ops: &[&Form]) -> Result<(), CaseError> {
        let settings = [
            ("--b", &self.b, &["matmul", "grouped"][..]),
            ("--batch", &self.batch, &["matmul"]),
            ("--mask", &self.mask, &["attention"]),
            ("--kv", &self.kv, &["attention"]),
            ("--page", &self.page, &["attention"]),
        ];
        for (setting, words, applies) in settings {
            if !words.is_empty() && ops.iter().all(|form| !applies.contains(&form.op)) {
                return Err(CaseError::NotApplicable { setting, op: applies[0] });
            }
        }
        Ok(())
    }
}

/// The lists, parsed.
struct Parsed {
    dtypes: Vec<DType>,
    outputs: Vec<Option<DType>>,
    layouts: Vec<Layout>,
    masks: Vec<Mask>,
    kvs: Vec<Kv>,
    pages: Vec<Option<usize>>,
    batches: Vec<usize>,
}

impl Parsed {
    fn problems(&self, form: &Form, sizes: &[usize]) -> Vec<Result<Problem, ProblemError>> {
        let mut problems = Vec::new();
        for &input in &self.dtypes {
            for output in self.outputs.iter().map(|o| o.unwrap_or(input)) {
                match *sizes {
                    [m, n, k, groups] if form.op == GROUPED.op => problems.extend(self.layouts.iter().map(|&layout| {
                        let sizes = GroupedSizes { groups, m, n, k, input, output, layout };
                        GroupedProblem::new(sizes).map(Problem::Grouped)
                    })),
                    [m, n, k] if form.op == MATMUL.op => problems.extend(self.matmuls([m, n, k], input, output)),
                    [batch, hq, hkv, sq, skv, d, ref rest @ ..] => {
                        let dv = rest.first().copied().unwrap_or(d);
                        let kept = || self.kvs.iter().flat_map(|&kv| self.pages.iter().map(move |&page| (kv, page)));
                        let each = self.masks.iter().flat_map(|&mask| kept().map(move |(kv, page)| (mask, kv, page)));
                        problems.extend(each.map(|(mask, kv, page)| {
                            let sizes =
                                AttentionSizes { batch, hq, hkv, sq, skv, d, dv, mask, input, output, kv, page };
                            AttentionProblem::new(sizes).map(Problem::Attention)
                        }));
                    }
                    _ => {}
                }
            }
        }
        problems
    }

    fn matmuls(&self, [m, n, k]: [usize; 3], input: DType, output: DType) -> Vec<Result<Problem, ProblemError>> {
        let pairs = self.layouts.iter().flat_map(|&layout| self.batches.iter().map(move |&batch| (layout, batch)));
        pairs
            .map(|(layout, batch)| MatmulProblem::new(MatmulSizes { batch, m, n, k, input, output, layout }))
            .map(|p| p.map(Problem::Matmul))
            .collect()
    }
}

fn all_or<T>(words: &[String], default: T, parse: fn(&str) -> Result<T, CaseError>) -> Result<Vec<T>, CaseError> {
    if words.is_empty() { Ok(vec![default]) } else { words.iter().map(|w| parse(w)).collect() }
}

fn read_shape<'f>(shape: &str, ops: &[&'f Form]) -> Result<(&'f Form, Vec<usize>), CaseError> {
    let parts: Vec<&str> = shape.split(BETWEEN).map(str::trim).collect();
    let fits = ops.iter().find(|form| form.sizes.contains(&parts.len()));
    let refuse = |form: &Form, why: String| CaseError::Shape {
        shape: shape.to_owned(),
        why,
        op: form.op,
        form: form.form,
        example: form.example,
    };
    let form = fits.ok_or_else(|| refuse(ops[0], format!("{} sizes", parts.len())))?;
    let size = |part: &&str| {
        part.parse::<usize>().map_err(|_| refuse(form, format!("`{part}` is no whole number below {}", usize::MAX)))
    };
    Ok((form, parts.iter().map(size).collect::<Result<_, _>>()?))
}

fn dtype(word: &str) -> Result<DType, CaseError> {
    word.parse().map_err(|_| {
        CaseError::Unknown(unknown("dtype", word, &["f32", "f16", "bf16", "f8e4m3", "f8e5m2", "i8", "i32"]))
    })
}

fn out_dtype(word: &str) -> Result<Option<DType>, CaseError> {
    if word == "input" { Ok(None) } else { dtype(word).map(Some) }
}

fn layout(word: &str) -> Result<Layout, CaseError> {
    match word {
        "kn" => Ok(Layout::Kn),
        "nk" => Ok(Layout::Nk),
        "nk-i4" => Ok(Layout::NkI4),
        "packed" => Ok(Layout::Packed),
        other => Err(CaseError::Unknown(unknown("layout of b", other, &["kn", "nk", "nk-i4", "packed"]))),
    }
}

fn mask(word: &str) -> Result<Mask, CaseError> {
    let window = word.strip_prefix("window:").and_then(|n| n.parse().ok()).map(Mask::Window);
    match word {
        "none" => Ok(Mask::None),
        "causal" => Ok(Mask::Causal),
        other => window.ok_or_else(|| CaseError::Unknown(unknown("mask", other, &["none", "causal", "window:N"]))),
    }
}

fn kv(word: &str) -> Result<Kv, CaseError> {
    match word {
        "input" => Ok(Kv::Input),
        "i8" => Ok(Kv::I8),
        other => Err(CaseError::Unknown(unknown("type of keys and values", other, &["input", "i8"]))),
    }
}

fn page(word: &str) -> Result<Option<usize>, CaseError> {
    match word.parse() {
        Ok(tokens) => Ok(Some(tokens)),
        Err(_) if word == "none" => Ok(None),
        Err(_) => Err(CaseError::Unknown(format!("page `{word}` is no number of tokens; for example 16, or none"))),
    }
}

fn batch(word: &str) -> Result<usize, CaseError> {
    word.parse().map_err(|_| CaseError::Unknown(format!("batch `{word}` is no whole number; for example 8")))
}
