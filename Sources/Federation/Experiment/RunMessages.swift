import Base

extension MessageCatalogue {
  package static let runs: [Entry] = [
    Entry(
      "E2021", "no more rounds",
      "Runs are extended to more rounds than they have.", "Give a larger federation.rounds."),
    Entry(
      "E3224", "a run that cannot be extended",
      "A schedule, a loss, a method or a noise was chosen for the number of rounds: with more to "
        + "come the rounds so far would have been others.",
      "Run the scenario anew with more rounds."),
    Entry(
      "E3222", "a measure that the method does not have",
      "Rounds are ranked by a generic model's accuracy, and the method has no generic model; or by "
        + "the clients' own models, and it has none.",
      "Give another selectBy, or leave it out: each method then takes what it has."),
    Entry(
      "E1020", "OpenBLAS missing", "The library that multiplies matrices cannot be opened. Exit 4.",
      "Install it: apt-get install libopenblas-dev."),
    Entry(
      "E1021", "strategy missing", "A strategy passed validation but is not in the program: a bug.",
      "Report it with the scenario."),
    Entry(
      "E1033", "stopped in pre-training",
      "Somebody asked to stop while the network was trained before the first round.",
      "Go on with fedsim resume DIR; pre-training begins anew, for nothing of it is kept."),
    Entry(
      "E1040", "frame failed",
      "A message could not be encoded, or the receiver could not read it: a bug, not a divergence. "
        + "The message names the run, round, client, block and codecs.",
      "Report it with the scenario. The run's last checkpoint is whole."),
    Entry(
      "E3303", "more clients than images", "Most clients would hold nothing.",
      "Use at most as many clients as the training set has images."),
    Entry(
      "E3304", "classes do not fit", "The model needs at least two classes.",
      "Use data with two classes or more."),
    Entry(
      "E3305", "more memory than there is",
      "Workspaces, models and images would not fit in this machine's memory.",
      "Lower model.width, model.hidden or client.batch, or use fewer --threads."),
    Entry(
      "E3334", "no noise meets the target",
      "The accountant found no noise multiplier up to its limit that gives the epsilon asked for.",
      "Raise epsilon or delta, or take fewer rounds, fewer local steps or smaller batches."),
    Entry(
      "E3371", "the budget does not pay for the run",
      "With noise on the sum of a cohort all clients have one budget. The noise multiplier given "
        + "spends more than privacy.target.epsilon in the rounds of the run.",
      "Take fewer rounds or more noise, or let the target say how much noise there is."),
    Entry(
      "E4080", "weights do not fit the model",
      "The file of model.init lacks tensors, has others, or has other shapes.",
      "Write it with PyTorch's names and shapes for this model: fedsim explain MODEL lists them."),
    Entry(
      "E4090", "checkpoint unreadable", "The checkpoint is damaged or of another version.",
      "Delete the folder of this run to repeat it from its start; other runs are not touched."),
    Entry(
      "E4091", "checkpoint of another version",
      "The checkpoint was written by a version of fedsim with another format of checkpoints.",
      "Resume with the version that wrote it, or start the run anew in another folder."),
    Entry(
      "E4096", "overrides unreadable", "overrides.json in the run folder is not a list of texts.",
      "Restore the file; it holds the --set options of the run."),
    Entry(
      "E4123", "checkpoint of other rounds",
      "The checkpoint of a run and its rounds.jsonl are of different runs.",
      "Restore both from one copy, or delete the folder of this run: fedsim resume DIR "
        + "repeats it."),
    Entry(
      "E5001", "a number is not finite",
      "Training gave a loss or a weight that is infinite or not a number.",
      "Lower the learning rate, or look at the inputs and weights that were given."),
    Entry(
      "E6001", "memory limit too small",
      "What a run certainly needs is more than limits.memory; nothing was written.",
      "Raise the limit, or take a smaller model, smaller batches or fewer --threads."),
    Entry(
      "E9002", "folder of another scenario",
      "The run folder or checkpoint was made by another scenario.",
      "Choose another folder with --out."),
    Entry(
      "E9003", "folder not empty",
      "The run folder holds something already, and nothing is ever overwritten.",
      "Choose another folder with --out, or continue with fedsim resume DIR."),
    Entry(
      "E9005", "scenario edited",
      "The scenario.json or overrides.json of a run folder was changed since the folder was "
        + "made, or " + "this version reads it differently. The fields that differ are listed.",
      "Take the change back to go on. The changed scenario has a folder of its own: fedsim run "
        + "DIR/scenario.json --out OTHER."),
    Entry(
      "W3044", "a codec that encodes nothing of a method",
      "Nothing that the method sends in this direction is encoded: it sends nothing, or whole "
        + "numbers, or no parameters while blocks is \"parameters\", or tensors that the link's "
        + "own settings leave dense. Its bytes are those of a run without the codec, or a few "
        + "more for frames.",
      "Do what the message says, or nothing if the codec is meant for other strategies."),
    Entry(
      "W3045", "layer-wise strengths that choose nothing",
      "Strengths are chosen by how far the server's model moved on each tensor of an upload; the "
        + "tensors of this method's upload are not in the server's model.", "Leave layerwise out."),
    Entry(
      "W3046", "zeros in place of what a codec leaves out",
      "Soft labels, prototypes and statistics are sent whole. A codec that keeps some values makes "
        + "the others 0, as of a model's difference, where 0 means that nothing moved.",
      "Take a codec that keeps every value, or blocks \"parameters\"."),
    Entry(
      "W3047", "a codec of a group that is not sent",
      "A group of parameters has a codec of its own, and no tensor of the group is in the "
        + "method's messages: the network has none, or they stay at the clients.",
      "Leave the group out for this strategy."),
    Entry(
      "W3080", "nothing moved",
      "After all its rounds the model of a run is bit for bit the one before the first round, or "
        + "nobody took part in any of them. Its numbers say nothing of the method.",
      "Look at the cause that the warning names: participation, availability, deadlines, the size "
        + "of a buffer, a codec's threshold, the learning rate."),
  ]
}
