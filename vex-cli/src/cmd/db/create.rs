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

Example:
  vex db create notes.vexdb --dim 384 --metric cosine --model all-MiniLM-L6-v2 --text lang --int year --stored doc")]
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
    #[command(flatten)]
    fields: Fields,
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
    let schema = args.fields.0.iter().fold(schema, |schema, (name, kind)| schema.field(name, *kind));
    check_names(&args.collection, &schema)?;
    Collection::create(&args.collection, schema)?;
    let fields = human::plural(args.fields.0.len() as u64, "field");
    let path = human::path(&args.collection);
    Ok(writeln!(out, "{path}: created for vectors of {} x f32, {}, with {fields}", args.dim, args.metric)?)
}
