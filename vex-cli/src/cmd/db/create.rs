//! `vex db create`.

use std::io::Write;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, FromArgMatches};
use vex::Metric;
use vex_db::{Collection, FieldType, Schema};

use super::check_names;
use crate::cmd::values;
use crate::error::Failure;
use crate::human;

/// Create a collection without rows
///
/// What is given here stays: the dimension, the metric, the name of the model and the fields. The
/// folder that the collection becomes may be there already if it is empty.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Fields keep the order in which they are given. Names are letters, digits and _, and do not begin with a digit.

Examples:
  vex db create notes.vexdb --dim 384 --metric cosine --model all-MiniLM-L6-v2 --text lang --int year --stored doc
  vex db create books.vexdb --dim 384 --metric cosine --vector title:384 --vector cover:512:inner-product")]
pub(crate) struct Args {
    /// The collection to create
    pub(super) collection: PathBuf,
    /// Elements of a vector
    #[arg(long, value_name = "N", value_parser = values::dim())]
    dim: usize,
    /// How vectors are compared; cosine scales them to unit length
    #[arg(long, value_parser = values::float_metric())]
    metric: Metric,
    /// Name of the model that makes the vectors; programs that open the collection must name it too
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// A vector that rows may have besides the first, as name:dimension or name:dimension:metric; for
    /// several, give it more than once
    #[arg(long = "vector", value_name = "NAME:N", value_parser = named)]
    vectors: Vec<Named>,
    #[command(flatten)]
    fields: Fields,
}

/// A vector with a name.
#[derive(Clone, Debug)]
struct Named {
    name: String,
    dim: usize,
    /// Without one, that of the first vector.
    metric: Option<Metric>,
}

fn named(text: &str) -> Result<Named, String> {
    let mut parts = text.splitn(3, ':');
    let (name, dim) = (parts.next().unwrap_or_default(), parts.next().and_then(|dim| dim.parse().ok()));
    let dim = dim.ok_or("expected name:dimension or name:dimension:metric, such as title:384")?;
    let metric = parts.next().map(values::metric_of).transpose()?;
    Ok(Named { name: name.to_owned(), dim, metric })
}

/// The fields, in the order of the arguments.
#[derive(Clone, Debug)]
struct Fields(Vec<(String, FieldType)>);

/// Each type of field, and what the help says of it.
const TYPES: [(FieldType, &str); 5] = [
    (FieldType::Text, "A field of text, up to 1024 bytes; several are separated by commas"),
    (FieldType::Int, "A field of whole numbers, of 64 bits"),
    (FieldType::Float, "A field of numbers, of 64 bits"),
    (FieldType::Bool, "A field that is true or false"),
    (
        FieldType::Stored,
        "A field that no condition can ask for, with text, numbers, true or false of any length",
    ),
];

impl clap::Args for Fields {
    fn augment_args(command: clap::Command) -> clap::Command {
        TYPES.into_iter().fold(command, |command, (kind, help)| {
            let arg = Arg::new(kind.name()).long(kind.name()).value_name("FIELD").help(help);
            command.arg(arg.value_delimiter(',').action(ArgAction::Append))
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Fields {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut fields = Vec::new();
        for (kind, _) in TYPES {
            let places = matches.indices_of(kind.name()).into_iter().flatten();
            let names = matches.get_many::<String>(kind.name()).into_iter().flatten();
            fields.extend(places.zip(names).map(|(place, name)| (place, (name.clone(), kind))));
        }
        fields.sort_by_key(|(place, _)| *place);
        Ok(Self(fields.into_iter().map(|(_, field)| field).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let mut schema = Schema::new(args.dim, args.metric);
    if let Some(model) = &args.model {
        schema = schema.model(model);
    }
    for Named { name, dim, metric } in &args.vectors {
        schema = schema.vector_by(name, *dim, metric.unwrap_or(args.metric));
    }
    let schema = args.fields.0.iter().fold(schema, |schema, (name, kind)| schema.field(name, *kind));
    check_names(&args.collection, &schema)?;
    Collection::create(&args.collection, schema)?;
    let fields = human::plural(args.fields.0.len() as u64, "field");
    let path = human::path(&args.collection);
    let named: String =
        args.vectors.iter().map(|Named { name, dim, .. }| format!(", {name} of {dim}")).collect();
    let (dim, metric) = (args.dim, args.metric);
    Ok(writeln!(out, "{path}: created for vectors of {dim} x f32, {metric}{named}, with {fields}")?)
}
