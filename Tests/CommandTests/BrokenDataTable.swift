private typealias Samples = DataSamples

/// A scenario on a folder `d` of some kind.
private func scenario(
  _ kind: String, model: String = #"{ "kind": "mlp", "hidden": [4] }"#, data: String = "",
  clients: Int = 4
) -> String {
  ScenarioText.tiny(
    dataset: "{ \"kind\": \"\(kind)\", \"path\": \"d\" }", data: data,
    federation: "\"clients\": \(clients), \"rounds\": 1", model: model)
}

/// A whole CIFAR-10 folder with one file changed.
private func cifar(
  _ what: String, _ says: [String], _ change: @escaping @Sendable (TemporaryFolder) throws -> Void
) -> WrongInput {
  WrongInput("CIFAR-10: " + what, 4, says, scenario("cifar10")) {
    try Samples.cifar10(in: $0, "d")
    try change($0)
  }
}

private func mnist(
  _ what: String, _ says: [String], _ change: @escaping @Sendable (TemporaryFolder) throws -> Void
) -> WrongInput {
  WrongInput("MNIST: " + what, 4, says, scenario("mnist")) {
    try Samples.mnist(in: $0, "d")
    try change($0)
  }
}

private func npy(
  _ what: String, _ says: [String], _ change: @escaping @Sendable (TemporaryFolder) throws -> Void
) -> WrongInput {
  WrongInput("NumPy: " + what, 4, says, scenario("npy")) {
    try Samples.npy(in: $0, "d")
    try change($0)
  }
}

private func leaf(_ what: String, _ says: [String], _ text: String) -> WrongInput {
  WrongInput("LEAF: " + what, 4, says, scenario("leaf", clients: 2)) {
    try Samples.leaf(in: $0, "d")
    try $0.write("d/train/all.json", text)
  }
}

/// Data files that are missing, cut, swapped or damaged.
let brokenData: [WrongInput] = [
  .init("no folder", 4, ["d: no such folder", "CIFAR-10"], scenario("cifar10")),
  .init("a file instead of the folder", 4, ["d: not a folder"], scenario("mnist")) {
    try $0.write("d", "x")
  }, .init("an empty folder", 4, ["d/"], scenario("npy")) { try $0.write("d/readme", "x") },
  cifar("a missing batch", ["data_batch_3.bin"]) { try $0.remove("d/data_batch_3.bin") },
  cifar("a folder instead of a batch", ["data_batch_2.bin", "a folder"]) {
    try $0.remove("d/data_batch_2.bin")
    try $0.write("d/data_batch_2.bin/x", "")
  },
  cifar("an empty batch", ["data_batch_1.bin", "empty"]) { try $0.write("d/data_batch_1.bin", "") },
  cifar("a batch cut inside a record", ["test_batch.bin", "whole records"]) {
    try $0.write("d/test_batch.bin", Array(Samples.cifarBatch(20).dropLast(7)))
  },
  cifar("a batch cut after a record", ["data_batch_4.bin", "cut"]) {
    try $0.write("d/data_batch_4.bin", Samples.cifarBatch(19))
  },
  cifar("a label of 10", ["data_batch_5.bin", "label 10", "0 to 9"]) {
    try $0.write("d/data_batch_5.bin", [10] + Samples.cifarBatch(20).dropFirst())
  },
  cifar("a gzip file by another name", ["data_batch_1.bin", "gzip", "unpack"]) {
    try $0.write("d/data_batch_1.bin", [0x1F, 0x8B] + Samples.noise(6144))
  }, mnist("a missing companion", ["t10k-labels"]) { try $0.remove("d/t10k-labels-idx1-ubyte") },
  mnist("images and labels swapped", ["train-images-idx3-ubyte", "dimension"]) {
    try $0.write("d/train-images-idx3-ubyte", Samples.idxLabels(100))
  },
  mnist("cut images", ["train-images-idx3-ubyte", "needs 14400"]) {
    try $0.write("d/train-images-idx3-ubyte", Array(Samples.idxImages(100).dropLast(100)))
  },
  mnist("a cut header", ["train-labels-idx1-ubyte"]) {
    try $0.write("d/train-labels-idx1-ubyte", [0, 0, 8])
  },
  mnist("another record count", ["train-", "99", "100"]) {
    try $0.write("d/train-labels-idx1-ubyte", Samples.idxLabels(99))
  },
  mnist("an impossible size", ["train-images-idx3-ubyte"]) {
    try $0.write(
      "d/train-images-idx3-ubyte", [0, 0, 8, 3] + [UInt8](repeating: 255, count: 12) + [1])
  },
  mnist("images of other sizes", ["t10k-images-idx3-ubyte"]) {
    try $0.write("d/t10k-images-idx3-ubyte", Samples.idxImages(20, side: 13))
  },
  mnist("a cut gzip file", ["train-images-idx3-ubyte.gz", "decompress"]) {
    try $0.remove("d/train-images-idx3-ubyte")
    try $0.write("d/train-images-idx3-ubyte.gz", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3])
  }, npy("a missing companion", ["y_train.npy"]) { try $0.remove("d/y_train.npy") },
  npy("no NumPy file", ["x_train.npy", "NumPy|numpy|npy"]) {
    try $0.write("d/x_train.npy", "hello, these are no numbers at all")
  },
  npy("a cut header", ["x_test.npy"]) {
    try $0.write("d/x_test.npy", Array(Samples.npy("|u1", [4], [1, 2, 3, 4]).prefix(30)))
  },
  npy("cut values", ["x_train.npy", "needs 6400"]) {
    try $0.write("d/x_train.npy", Samples.npy("|u1", [100, 8, 8], Samples.noise(6000)))
  },
  npy("a shape beyond counting", ["x_train.npy", "shape"]) {
    try $0.write(
      "d/x_train.npy", Samples.npy("|u1", [4_000_000_000, 4_000_000_000, 4_000_000_000], [1]))
  },
  npy("another record count", ["_train.npy", "100", "3"]) {
    try $0.write("d/y_train.npy", Samples.npy("|u1", [3], [0, 1, 2]))
  },
  npy("labels that are no whole numbers", ["y_train.npy", "no class"]) {
    try $0.write("d/y_train.npy", Samples.npy("<f4", [100], Samples.noise(400)))
  },
  npy("negative labels", ["y_train.npy", "-1"]) {
    try $0.write("d/y_train.npy", Samples.npy("|i1", [100], [UInt8](repeating: 255, count: 100)))
  },
  npy("not a number", ["x_train.npy", "finite"]) {
    try $0.write(
      "d/x_train.npy", Samples.npy("<f4", [100, 4], [UInt8](repeating: 255, count: 1600)))
  },
  npy("zero test images", ["x_test.npy|y_test.npy"]) {
    try $0.write("d/x_test.npy", Samples.npy("|u1", [0, 8, 8], []))
    try $0.write("d/y_test.npy", Samples.npy("|u1", [0], []))
  },
  npy("images of other sizes", ["x_test.npy"]) {
    try $0.write("d/x_test.npy", Samples.npy("|u1", [20, 9, 9], Samples.noise(1620)))
  }, leaf("cut JSON", ["d/train/all.json", "line"], String(Samples.leafText.prefix(150))),
  leaf("an empty file", ["d/train/all.json", "empty"], ""), leaf("no users", ["d/train"], "{}"),
  leaf("a list", ["d/train/all.json"], "[]"),
  leaf(
    "another number of labels", ["d/train/all.json"],
    Samples.leafText.replacing("[0,1,2,1]", with: "[0,1,2]")),
  leaf(
    "images of unequal length", ["d/train/all.json"],
    Samples.leafText.replacing("[0,0,1,0],", with: "[0,0],")),
  leaf(
    "a label of 1e300", ["d/train/all.json"],
    Samples.leafText.replacing("[0,1,2,1]", with: "[0,1e300,2,1]")),
  leaf(
    "pixels of text", ["d/train/all.json"],
    Samples.leafText.replacing("[0,1,0,0]", with: "[\"a\",1,0,0]")),
]

/// Valid data and valid scenarios that do not belong together.
let misfits: [WrongInput] = [
  .init(
    "an image too small for the model", 3, ["$.model.kind", "8"],
    scenario("npy", model: #"{ "kind": "lenet5" }"#)
  ) { try Samples.npy(in: $0, "d") },
  .init("data of one class", 3, ["class"], scenario("npy")) {
    try Samples.npy(in: $0, "d", classes: 1)
  },
  .init(
    "more clients than images", 3, ["$.federation.clients", "100"], scenario("npy", clients: 101)
  ) { try Samples.npy(in: $0, "d") },
  .init("more clients than users", 3, ["2 users", "at most 2"], scenario("leaf", clients: 3)) {
    try Samples.leaf(in: $0, "d")
  },
  .init(
    "class sizes for other classes", 3, ["longTail.counts", "10"],
    scenario("npy", data: #", "longTail": { "profile": "explicit", "counts": [5, 5] }"#)
  ) { try Samples.npy(in: $0, "d") },
  .init(
    "a factor above the class size", 3, ["longTail"],
    scenario("npy", data: #", "longTail": { "factor": 50 }"#)
  ) { try Samples.npy(in: $0, "d") },
  .init(
    "more public images than a class has", 3, ["data.public.size", "class 0", "only 10"],
    scenario("npy", data: #", "public": { "size": 101 }"#)
  ) { try Samples.npy(in: $0, "d") },
  .init(
    "public images that leave none for a client", 3, ["data.public", "leaves 3 for 4 clients"],
    scenario("npy", data: #", "public": { "size": 97 }"#)
  ) { try Samples.npy(in: $0, "d") },
  .init(
    "a style for images of three channels", 3,
    ["$.data.styles.kinds", "grayscale", "three channels"],
    scenario("npy", data: #", "styles": { "kinds": ["grayscale"] }"#)
  ) { try Samples.npy(in: $0, "d") },
  .init(
    "clients of equal size that do not fit", 3, ["data.partition", "4 clients with 26 images"],
    scenario(
      "npy", data: #", "partition": { "kind": "dirichlet-prior", "alpha": 1, "perClient": 26 }"#)
  ) { try Samples.npy(in: $0, "d") },
]
