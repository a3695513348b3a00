import Base
import Client
import Data
import Records
import Scenario
import Tensor

/// What is known when a run folder begins: `environment.json`.
struct FolderEnvironment {
  let experiment: Experiment
  let source: ScenarioSource
  let threads: Int
  let warnings: [String]

  static let keys = Keys<Self>(
    MachineFacts.keys.within { _ in MachineFacts.current } + [
      Key("threads", .integer, "Threads that were used.") { $0.threads },
      Key("scenarioHash", .text, "Hash of the resolved scenario.") { $0.source.hash },
      Key("name", .text, "The scenario's name.") { $0.experiment.scenario.name },
      .group(
        "data",
        [
          Key("title", .text, "The data set.") { $0.experiment.data.title },
          Key("shape", .text, "Channels, height and width of an image.") {
            $0.experiment.data.train.shape.description
          }, Key("classes", .integer, "Number of classes.") { $0.experiment.data.train.classes },
          Key(
            "classNames", .list(.text), "Names of the classes, in their order.",
            absent: "the data set gives none"
          ) { $0.experiment.data.classNames.isEmpty ? nil : $0.experiment.data.classNames },
          Key("train", .object(imageKeys), "") { $0.experiment.data.train },
          Key("test", .object(imageKeys), "") { $0.experiment.data.test },
        ]),
      Key("conditions", .list(.text), "The experiment in words.") { $0.experiment.conditions },
      Key("warnings", .list(.text), "What was said of the scenario.") { $0.warnings },
      Key("command", .text, "The command that repeats the runs.") { $0.source.command },
      Key("started", .text, "When the folder was begun, in UTC.") { _ in
        NumberText.timestamp(SystemClock.now())
      },
    ])

  /// Sizes and hashes of images and labels, so that another machine can compare.
  private static let imageKeys = Keys<ImageSet>([
    Key("images", .integer, "Number of images.") { $0.count },
    Key("xxh64", .text, "XXH64 of images and labels.") { $0.hash },
  ])
}

/// `split/normalization.json`.
struct PixelFacts {
  let kind: String
  let transform: PixelTransform

  static let keys = Keys<Self>([
    Key("kind", .text, "The rule, as data.normalize.") { $0.kind },
    Key("mean", .list(.number), "Subtracted from each channel of pixels in [0, 1].") {
      $0.transform.mean.map { Double($0) }
    },
    Key("std", .list(.number), "Divides each channel.") { $0.transform.std.map { Double($0) } },
  ])
}

extension FilePage {
  /// The files that the engine writes.
  package static let federation: [FilePage] = [
    FilePage(
      "privacy.jsonl", in: "folder of each run, with privacy",
      "A line for each round: what privacy cost so far.", PrivacyLine.keys),
    FilePage(
      "divergence.json", in: "folder of a run that diverged", "Where the run went wrong, and why.",
      DivergenceReport.keys),
    FilePage(
      "last.json", in: "folder of each run, checkpoints/",
      "What last.safetensors beside it says of itself; for people, never read.", Checkpoint.fields),
    FilePage(
      FolderFacts.fileName, in: "run folder", "Where and with what the folder was made.",
      FolderEnvironment.keys.fields + FolderFacts.fields),
    FilePage(
      PathPlaces.fileName, in: "run folder, or sweep folder",
      "Where relative paths of the scenario lead; only where it names files.",
      [
        FileField(
          "file", "list of texts", "Folders in which paths of the file are looked for, in order."),
        FileField("set", "list of texts", "The same for paths of --set."),
        FileField("found", "object", "Where each relative path led."),
        FileField("found.<path>", "text", "The file or folder that it stood for."),
      ]),
    FilePage(
      "normalization.json", in: "run folder, split/", "How pixels are scaled.", PixelFacts.keys),
  ]
}
