import Base

extension MessageCatalogue {
  package static let sweeps: [Entry] = [
    Entry(
      "E3420", "no base scenario", "The scenario that a sweep starts from cannot be read.",
      "Give its path relative to the sweep file or to the working folder."),
    Entry(
      "E3421", "no path", "A key of grid, list or random is no path of a scenario.",
      "Write it as --set takes it: client.batch, strategies[0].proximalWeight."),
    Entry(
      "E3422", "a path that cannot differ",
      "All trials of a sweep have the same seeds and the same version of the format.",
      "Give seeds once: in the sweep file, or in the scenario."),
    Entry(
      "E3423", "one path twice", "Two keys are spellings of the same path, as a[0].b and a.0.b.",
      "Leave one of them out."),
    Entry(
      "E3424", "nothing to run", "The sweep has no trial.",
      "Give grid some paths with values, list some points, or random some paths and trials."),
    Entry(
      "E3425", "no distribution",
      "A path of random needs exactly one of log, uniform, integers and choice, with bounds that "
        + "ascend; those of log are above 0.",
      "For example { \"log\": [0.01, 0.5] }, { \"integers\": [1, 8] } or { \"choice\": [1, 2] }."),
    Entry(
      "E3426", "wrong rungs",
      "The rungs of halving must ascend, and none may be after the last round.",
      "Give rounds such as [20, 60, 200] for runs of 200 rounds."),
    Entry(
      "E3427", "unknown metric", "prune or front names a metric that there is not.",
      "Take a path as in summary.json, such as generic.accuracy, bytes.up or privacy.epsilon."),
    Entry(
      "E3428", "an objective in both directions",
      "A metric cannot be both maximised and minimised.", "Leave it out on one side."),
    Entry(
      "E3429", "too many trials", "Grid, list and random make more trials than a sweep may have.",
      "Leave out values, or draw some at random."),
    Entry(
      "E3431", "stopping trials by test images",
      "Tuning looks at validation images alone; a trial that is stopped by its test accuracy would "
        + "make the choice depend on it.", "Prune by a metric that begins with validation."),
    Entry(
      "E3432", "a path that no strategy has for itself",
      "Tuning gives each strategy values of its own, and this one holds for all of them.",
      "Vary it in a sweep without tune, or in the scenario."),
    Entry(
      "E4128", "note of a sweep damaged", "A file that a sweep keeps for itself cannot be read.",
      "Restore it; for sweep.resolved.json, name the sweep file again: fedsim sweep FILE --out DIR."
    ),
    Entry(
      "E6002", "limit reached",
      "A run of a sweep reached one of its limits and stands after a checkpoint.",
      "Raise the limit in the scenario's limits; calling the sweep again goes on from there."),
    Entry(
      "E8001", "a run of a sweep diverged",
      "Some strategy of the run gave numbers that are not finite. It would do so again, so it is "
        + "not tried again; the other strategies and runs go on.",
      "Leave the values out that cause it. To try again, delete the run's folder and its file in "
        + "failures/."),
    Entry(
      "E9004", "folder of something else",
      "The folder for a sweep holds something else, and nothing is ever overwritten.",
      "Choose another folder with --out."),
    Entry(
      "W3090", "one scenario twice",
      "Two trials of a sweep have the same scenario, for example because a value inside a section "
        + "differs that both have taken away.",
      "Nothing has to be done: it is run once, as the first of them."),
  ]
}
