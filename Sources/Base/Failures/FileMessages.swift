extension MessageCatalogue {
  package static let files: [Entry] = [
    Entry(
      "E1000", "internal error", "fedsim has contradicted itself; this is a bug, not your mistake.",
      "Report it with the scenario and the output of fedsim version; do not retry."),
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
      "E1030", "too many open files",
      "The system lets this process, or all processes, open no more files.",
      "Allow more with ulimit -n, and go on with fedsim resume DIR: the last checkpoint is whole."),
    Entry(
      "E1031", "file too long", "A file would be longer than this process may write (ulimit -f).",
      "Raise the limit, and go on with fedsim resume DIR: the last checkpoint is whole."),
    Entry(
      "E1034", "nobody reads",
      "The reader of a pipe went away; the program goes on and says nothing of it.",
      "Nothing is to be done."),
    Entry(
      "E4001", "file or folder missing", "Nothing is at this path.",
      "Check the path. One in a scenario or sweep file is relative to that file's folder, then to "
        + "the working folder; one on the command line to the working folder."),
    Entry(
      "E4002", "folder instead of a file, or the reverse",
      "Something else than expected is at this path.",
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
      "E4011", "file larger than it may be",
      "The file has more bytes than such a file can need, or reading it would take more memory "
        + "than this process may take: the machine's, or a limit of its address space or of a "
        + "container.",
      "Check that it is the file that you meant; raise the limit that the message names."),
    Entry(
      "E4012", "channels first",
      "The file's axes are channels, height and width, as PyTorch keeps images. Read as height, "
        + "width and channels everything would run, and nothing would be learnt.",
      "Put the channels last: numpy.transpose(x, (0, 2, 3, 1))."),
    Entry(
      "E4013", "more classes than images",
      "The largest label is far beyond the number of training images: a wrong label, or "
        + "identifiers in place of classes. Memory grows with the square of the classes.",
      "Number the classes from 0 without gaps: numpy.unique(y, return_inverse=True)[1]."),
    Entry(
      "E9001", "folder in use", "Another fedsim process writes to this run folder.",
      "Wait for it to end, or choose another folder with --out."),
  ]
}
