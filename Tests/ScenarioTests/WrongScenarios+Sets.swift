private func top(_ text: String) -> String { scenario(top: text) }
private func data(_ text: String) -> String { scenario(data: text) }
private func pretrain(_ text: String) -> String { top("\"model\": {\"pretrain\": {\(text)}}") }
private func groups(_ text: String, clients: Int = 20) -> String {
  top("\"federation\": {\"clients\": \(clients)}, \"clientModels\": [\(text)]")
}
private func prior(_ text: String) -> String {
  data("\"partition\": {\"kind\": \"dirichlet-prior\", \"alpha\": 1, \(text)}")
}

/// Wrong fields of public images, styles, pre-training and groups of clients.
let wrongSets: [WrongScenario] = [
  .init("E3104", "$.data.public.size", 4, data("\"public\": {}")),
  .init("E3103", "$.data.public.size", 4, data("\"public\": {\"size\": 0}")),
  .init("E3102", "$.data.public", 4, data("\"public\": 100")),
  .init(
    "E3105", "$.data.public.classes", 4, data("\"public\": {\"size\": 10, \"classes\": \"random\"}")
  ), .init("E3101", "$.data.transferSet", 4, data("\"transferSet\": {}"), suggest: "\"public\""),
  .init("E3104", "$.data.resize.height", 4, data("\"resize\": {}")),
  .init("E3103", "$.data.resize.height", 4, data("\"resize\": {\"height\": 0}")),
  .init("E3103", "$.data.resize.width", 4, data("\"resize\": {\"height\": 8, \"width\": 4097}")),
  .init("E3102", "$.data.resize", 4, data("\"resize\": 224")),
  .init(
    "E3101", "$.data.image_size", 4, data("\"image_size\": {\"height\": 8}"),
    suggest: "\"resize\""),
  .init("E3104", "$.data.styles.kinds", 4, data("\"styles\": {\"perClient\": 1}")),
  .init("E3108", "$.data.styles.kinds", 4, data("\"styles\": {\"kinds\": []}")),
  .init(
    "E3109", "$.data.styles.kinds[1]", 4, data("\"styles\": {\"kinds\": [\"flip\", \"flip\"]}")),
  .init(
    "E3105", "$.data.styles.kinds[0]", 4, data("\"styles\": {\"kinds\": [\"rot90\"]}"),
    suggest: "\"rotate90\""),
  .init(
    "E3103", "$.data.styles.perClient", 4,
    data("\"styles\": {\"kinds\": [\"flip\"], \"perClient\": 0}")),
  .init(
    "E3104", "$.data.partition.alpha", 4, data("\"partition\": {\"kind\": \"dirichlet-prior\"}")),
  .init("E3101", "$.data.partition.K", 4, prior("\"K\": 5"), suggest: "\"perClient\""),
  .init("E3106", "$.model.pretrain.images", 6, pretrain("\"images\": 5, \"classes\": [1, 2]")),
  .init("E3108", "$.model.pretrain.classes", 6, pretrain("\"classes\": [1]")),
  .init("E3109", "$.model.pretrain.classes[2]", 6, pretrain("\"classes\": [1, 2, 1]")),
  .init("E3103", "$.model.pretrain.epochs", 6, pretrain("\"images\": 5, \"epochs\": 0")),
  .init(
    "E3101", "$.model.pretrain.optimizer.lr", 6,
    pretrain("\"images\": 5, \"optimizer\": {\"lr\": 1}"), suggest: "\"learningRate\""),
  .init("E3102", "$.clientModels", 6, top("\"clientModels\": {}")),
  .init("E3104", "$.clientModels[0].share", 6, groups("{}")),
  .init("E3103", "$.clientModels[0].share", 6, groups("{\"share\": 2}")),
  .init(
    "E3105", "$.clientModels[0].model.kind", 6,
    groups("{\"share\": 1, \"model\": {\"kind\": \"resnet\"}}"), suggest: "\"resnet8\""),
  .init(
    "E3101", "$.clientModels[0].model.pretrain", 6,
    groups("{\"share\": 1, \"model\": {\"pretrain\": {\"images\": 5}}}"),
    suggest: "\"model.pretrain\""),
]

/// Such fields that are legal by themselves but not together.
let wrongSetsTogether: [WrongScenario] = [
  .init("E3251", "$.data.public.size", 4, data("\"public\": {\"size\": 4981}")),
  .init(
    "E3251", "$.data.public.size", 4,
    scenario(
      data: "\"public\": {\"size\": 3000}", top: "\"model\": {\"pretrain\": {\"images\": 2000}}")),
  .init("E3251", "$.model.pretrain.images", 6, pretrain("\"images\": 1000000000")),
  .init(
    "E3252", "$.data.styles.perClient", 4,
    data("\"styles\": {\"kinds\": [\"flip\", \"blur\"], \"perClient\": 3}"), suggest: "2"),
  .init("E3253", "$.model.pretrain", 6, pretrain("\"epochs\": 3")),
  .init("E3254", "$.model.pretrain.classes", 6, pretrain("\"classes\": [3, 10]")),
  .init(
    "E3254", "$.model.pretrain.classes", 6, pretrain("\"classes\": [0, 1, 2, 3, 4, 5, 6, 7, 8]")),
  .init(
    "E3207", "$.model.pretrain.optimizer.nesterov", 6,
    pretrain("\"images\": 5, \"optimizer\": {\"nesterov\": true, \"momentum\": 0}")),
  .init("E3255", "$.clientModels", 6, groups("{\"share\": 0.5}, {\"share\": 0.4999}")),
  .init("E3256", "$.clientModels[1].share", 6, groups("{\"share\": 0.99}, {\"share\": 0.01}")),
  .init(
    "E3256", "$.clientModels[2].share", 6,
    groups("{\"share\": 0.4}, {\"share\": 0.4}, {\"share\": 0.2}", clients: 2)),
  .init(
    "E3201", "$.clientModels[1].model.norm.groups", 6,
    groups(
      "{\"share\": 0.5}, {\"share\": 0.5, \"model\": {\"width\": 30, "
        + "\"norm\": {\"kind\": \"group\", \"groups\": 8}}}"), suggest: "6"),
  .init(
    "E3208", "$.clientModels[0].model.dropout", 6,
    groups("{\"share\": 1, \"model\": {\"kind\": \"cnn\", \"dropout\": [0.1]}}")),
  .init("E3257", "$.data.partition.perClient", 4, prior("\"perClient\": 251")),
  .init("E3257", "$.data.partition.minPerClass", 4, prior("\"minPerClass\": 26")),
  // The long tail's largest class is what public images leave: 500 − 400.
  .init(
    "E3205", "$.data.longTail.factor", 4,
    data("\"public\": {\"size\": 4000}, \"longTail\": {\"factor\": 101}")),
  .init(
    "E3205", "$.data.longTail.counts", 4,
    scenario(
      data: "\"longTail\": {\"profile\": \"explicit\", \"counts\": [9,9,9,9,9,9,9,9,9,9]}",
      top: "\"model\": {\"pretrain\": {\"classes\": [0, 1]}}")),
]
