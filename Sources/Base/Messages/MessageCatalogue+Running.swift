/// Codes of what can go wrong after a scenario has been read: data, fit, files, folders.
extension MessageCatalogue {
  package static let files: [Entry] = [
    Entry(
      "E4001", "file or folder missing", "Nothing lies at this path.",
      "Check the path; relative paths start at the folder where fedsim was called."),
    Entry(
      "E4002", "folder instead of a file, or the reverse",
      "Something else than expected lies at this path.",
      "Name the file inside the folder, or the folder around the file."),
    Entry(
      "E4003", "wrong size", "The file is empty, cut, or longer than its format allows.",
      "Copy or download it again; fedsim data check names every file of a data set."),
    Entry(
      "E4004", "label out of range", "A label is not one of the data set's classes.",
      "Use the original files; labels count from 0."),
    Entry(
      "E4005", "files that disagree", "Two files, or a header and its data, do not fit together.",
      "Take all files of a data set from one source."),
    Entry(
      "E4006", "not of the expected format", "The content is not what the format says.",
      "Check that the path names the right file; compare with fedsim explain DATASET."),
    Entry(
      "E4007", "cannot be decompressed", "gzip refuses the file, or gzip is not installed.",
      "Test it with gzip -t, or give the decompressed file."),
    Entry(
      "E4008", "a variant that is not read",
      "The file is valid but of a form that fedsim does not read.",
      "Convert it; the message names what is read."),
    Entry(
      "E4009", "not a finite number", "A pixel or feature is infinite or not a number.",
      "Clean the data first; one such value would spoil every model."),
    Entry(
      "E4010", "cannot be read",
      "The file exists but the system does not let fedsim read it, or it is far too long.",
      "Check its permissions and the disk."),
    Entry(
      "E4080", "weights do not fit the model",
      "The file of model.init lacks tensors, has others, or has other shapes.",
      "Write it with PyTorch's names and shapes for this model: fedsim explain MODEL lists them."),
    Entry(
      "E4090", "checkpoint unreadable", "The checkpoint is damaged or of another version.",
      "Delete the folder of this run to repeat it from its start; other runs are not touched."),
    Entry(
      "E4095", "no run folder", "The folder has no scenario.json.",
      "Name a folder that fedsim run wrote."),
    Entry(
      "E4096", "overrides unreadable", "overrides.json in the run folder is not a list of texts.",
      "Restore the file; it holds the --set options of the run."),
    Entry(
      "E4097", "no model to audit",
      "No run of the folder has a model for everybody: none was trained yet, or the methods have "
        + "none.",
      "Continue the run with fedsim resume DIR, or audit a run with a method like fedavg."),
    Entry(
      "E4098", "resolved scenario unreadable",
      "scenario.resolved.json in the run folder is damaged or of another version.",
      "Restore the file; fedsim resume DIR writes it again."),
    Entry(
      "E4099", "model does not fit",
      "A model in the run folder has other tensors than the scenario's network.",
      "Delete the file and continue with fedsim resume DIR, which writes it again."),
  ]

  static let fitting: [Entry] = [
    Entry(
      "E3301", "image too small for the model",
      "A layer of the model would have nothing left to look at.",
      "Choose another model; the message names the smallest image."),
    Entry(
      "E3302", "optimizer does not suit the strategy",
      "The method's equations assume another optimizer.",
      "Change client.optimizer.kind, or leave the strategy out."),
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
      "E3320", "the network cannot host the method",
      "Some methods need something of the network: a feature width of at least the number of "
        + "classes, a certain kind of layers.",
      "Choose another model or width, or other settings of the method; the message says which."),
    Entry(
      "E3321", "the method needs a public set",
      "Methods that exchange predictions make them on images that all know.",
      "Add data.public with a size, such as { \"size\": 1000 }."),
    Entry(
      "E3322", "the method needs one network for all",
      "Methods that average parameters cannot serve clients whose networks differ.",
      "Leave clientModels out, or choose a method that exchanges predictions or prototypes."),
    Entry(
      "E3401", "explicit counts do not fit", "longTail.counts must have one entry per class.",
      "Give as many counts as the data set has classes."),
    Entry(
      "E3402", "a class would be empty",
      "The factor is so large that the smallest class keeps no image.",
      "Lower longTail.factor or raise longTail.maxPerClass."),
    Entry(
      "E3403", "long tail wants more images", "A class has fewer images than the profile asks for.",
      "Lower longTail.maxPerClass or the counts."),
    Entry(
      "E3404", "long tail out of range",
      "A number of the long tail cannot be used with these data.", "See fedsim explain longTail."),
    Entry(
      "E3405", "long tail out of range",
      "A number of the long tail cannot be used with these data.", "See fedsim explain longTail."),
    Entry(
      "E3406", "synthetic data too large", "The synthetic problem would not fit in memory.",
      "Lower classes or images per class."),
    Entry(
      "E3411", "minimum cannot be met", "clients times minPerClient exceeds the number of images.",
      "Lower minPerClient or the number of clients."),
    Entry(
      "E3412", "minimum not met after many draws",
      "A thousand draws left some client below minPerClient.",
      "Raise alpha, lower minPerClient or the number of clients."),
    Entry(
      "E3413", "too many shards", "There are more shards than images.",
      "Lower perClient or the number of clients."),
    Entry(
      "E3414", "no natural clients", "The data set does not say who made which image.",
      "Use another partition; natural is for LEAF data."),
    Entry(
      "E3415", "more clients than users",
      "The data set has fewer users than the scenario has clients.",
      "Lower federation.clients to the number of users."),
  ]

  package static let system: [Entry] = [
    Entry(
      "E1001", "cannot open or create a file",
      "The system refuses to open or create an output file. Exit 2 where the command line "
        + "names it, " + "else 4.",
      "Check the folder's permissions, or choose another one with --out."),
    Entry(
      "E1002", "cannot write",
      "Writing to an output file failed. Exit 2 where the command line names it, else 4.",
      "Check the disk; nothing already written is lost."),
    Entry(
      "E1003", "disk full", "The disk has no room left. Exit 6: the last checkpoint is whole.",
      "Make room and continue with fedsim resume DIR."),
    Entry(
      "E1004", "cannot complete a file",
      "A file could not be synced or renamed; the old one is unchanged. Exit 2 where the "
        + "command line " + "names it, else 4.",
      "Check the disk and continue with fedsim resume DIR."),
    Entry(
      "E1005", "cannot make a folder",
      "The system refuses to make an output folder. Exit 2 where the command line names it, "
        + "else 4.", "Check the permissions, or choose another one with --out."),
    Entry(
      "E1006", "folder in the way",
      "A folder has the name of a file that is to be written. Exit 2 where the command line "
        + "names it, " + "else 4.", "Choose another run folder with --out."),
    Entry(
      "E1014", "damaged trace", "A line of rounds.jsonl is not a round record.",
      "Restore the file from a copy, or delete the folder of this run: fedsim resume DIR "
        + "repeats it."),
    Entry(
      "E1020", "OpenBLAS missing", "The library that multiplies matrices cannot be opened. Exit 4.",
      "Install it: apt-get install libopenblas-dev."),
    Entry(
      "E1021", "strategy missing", "A strategy passed validation but is not in the program: a bug.",
      "Report it with the scenario."),
    Entry(
      "E1022", "self-test failed", "doctor's training of a small model failed: a bug.",
      "Report it with the output of fedsim version."),
    Entry(
      "E1099", "unexpected error", "Something failed in a way that fedsim does not know: a bug.",
      "Report it with the scenario; continue with fedsim resume DIR."),
    Entry(
      "E5001", "a number is not finite",
      "Training gave a loss or a weight that is infinite or not a number.",
      "Lower the learning rate, or look at the inputs and weights that were given."),
    Entry(
      "E9001", "folder in use", "Another fedsim process writes to this run folder.",
      "Wait for it to end, or choose another folder with --out."),
    Entry(
      "E9002", "folder of another scenario",
      "The run folder or checkpoint was made by another scenario.",
      "Choose another folder with --out."),
    Entry(
      "E9003", "folder not empty",
      "The run folder holds something already, and nothing is ever overwritten.",
      "Choose another folder with --out, or continue with fedsim resume DIR."),
  ]
}
