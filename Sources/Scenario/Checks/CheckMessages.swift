import Base

extension MessageCatalogue {
  package static let checks: [Entry] = [
    Entry(
      "E3201", "groups do not divide", "Group normalisation needs groups of equal size.",
      "Take the suggested number, or leave groups out."),
    Entry(
      "E3202", "cohort larger than the federation", "perRound exceeds clients.",
      "Lower perRound or raise clients."),
    Entry(
      "E3203", "label given twice", "Labels name folders; capitals do not make a difference.",
      "Give each strategy its own label."),
    Entry(
      "E3204", "no natural clients", "Only leaf data sets know who made which example.",
      "Choose another partition."),
    Entry(
      "E3205", "impossible class sizes", "The long tail asks for class sizes that the data lacks.",
      "Give one size per class, at most the size of the full class, and not only zeros."),
    Entry(
      "E3206", "not enough data", "There are fewer training images than the clients need.",
      "Lower the number of clients or the minimum, or use more data."),
    Entry(
      "E3207", "Nesterov without momentum", "Nesterov's form is defined for momentum > 0.",
      "Set momentum, or nesterov to false."),
    Entry(
      "E3208", "number of dropout rates", "The model has another number of places for dropout.",
      "cnn: two rates; mlp: one per hidden layer; [] for none."),
    Entry(
      "E3209", "data set too large", "The synthetic data set would not fit into memory.",
      "Ask for fewer classes or images."),
    Entry(
      "E3210", "candidates do not fit the cohort",
      "Power-of-choice draws candidates and keeps a cohort of them: there must be at least as many "
        + "candidates as clients in a round, and at most as many as clients.",
      "Change federation.sampling.candidates, participation or perRound."),
    Entry(
      "E3211", "too few clients for a schedule",
      "Clients that rest between two rounds, or take turns in groups, are only so many at a time: "
        + "cohorts times separation, or groups times cohorts, are at most all clients.",
      "Lower the separation or the groups, or the cohort."),
    Entry(
      "E3230", "heads do not divide", "Attention needs heads of equal width.",
      "Take the suggested number, or another width."),
    Entry(
      "E3231", "empty hidden layer", "width x mlpRatio is less than one channel.",
      "Raise model.mlpRatio; the usual ratio is 4."),
    Entry(
      "E3252", "more styles per client than styles",
      "A client's styles are all different, so there must be that many.",
      "Lower data.styles.perClient or list more kinds."),
    Entry(
      "E3253", "nothing to pre-train on",
      "model.pretrain needs images: a number of them, or whole classes.",
      "Give \"images\" or \"classes\"."),
    Entry(
      "E3266", "what features leave no room for",
      "Features are made once for each image: no random change and no style reaches them.",
      "Say \"augment\": [], and leave data.styles out."),
    Entry(
      "E3255", "shares do not add up",
      "The shares of clientModels must give every client to exactly one group.",
      "Let them add up to 1."),
    Entry(
      "E3256", "group without a client",
      "The share is so small that rounding leaves no client for the group.",
      "Raise the share or the number of clients, or remove the group."),
    Entry(
      "E3301", "image too small for the model",
      "A layer of the model would have nothing left to look at.",
      "Choose another model; the message names the smallest image."),
    Entry(
      "E3302", "optimizer does not suit the strategy",
      "The method's equations assume another optimizer.",
      "Change client.optimizer.kind, or leave the strategy out."),
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
      "E3330", "no noise and no target",
      "A mechanism needs to know how much noise it adds: a noise multiplier, or an epsilon from "
        + "which it is found.", "Give noiseMultiplier, or target with an epsilon."),
    Entry(
      "E3331", "error feedback without a usable cap",
      "errorCap is the norm to which gradients are clipped before the clip proper; what is "
        + "between the two goes into the hidden error.", "Give errorCap at least the clip."),
    Entry(
      "E3332", "the mechanism does not fit the method",
      "Noise on a sum protects a client only where the server sees nothing but the sum, and clips "
        + "only what it gets.", "Choose another placement, clipping or unit."),
    Entry(
      "E3333", "batch normalisation under example-level privacy",
      "Batch statistics make each example's gradient depend on the others of its batch, so that "
        + "no clip bounds what one example does.",
      "Take group norm, or protect clients instead of examples."),
    Entry(
      "E3335", "selection by losses with privacy",
      "Accountants count on cohorts that are drawn at random, and the losses that clients report "
        + "are read from their examples without noise. No epsilon would hold.",
      "Take federation.sampling \"uniform\" or \"poisson\", or leave privacy out."),
    Entry(
      "E3336", "noise that no accountant can correlate",
      "What is correlated over rounds is the server's noise on sums with one clip, and how often a "
        + "client takes part has to be bounded by the sampler: by a separation, or by groups that "
        + "take turns. Without a theorem there is no epsilon.",
      "Take federation.sampling \"separated\" or \"cyclic-poisson\", placement \"server\", a flat "
        + "clip and Gaussian noise, or leave correlation out."),
    Entry(
      "E3340", "a codec whose settings contradict each other",
      "Layer-wise strengths need each tensor on its own and belong to uploads; blocks are chosen "
        + "by exact norms.", "Change the field that the message names."),
    Entry(
      "E3341", "a codec that does not suit the method",
      "EF21's server holds the mean of all clients' estimates, sums of factors give the mean of "
        + "all updates, and neither has anything of single clients: they suit methods that send "
        + "a model and use its mean. Methods that send whole models need a codec that keeps "
        + "every value.", "Take feedback \"ef-sgd\", which works with every method."),
    Entry(
      "E3342", "unsound order of privacy and compression",
      "A guarantee holds when encoding looks at noisy numbers alone (each client adds all the "
        + "noise, or gradients had it), or when the server's clip comes after decoding. It does "
        + "not when encoded messages are read one by one and only their sum is noisy enough, or "
        + "when a message's effect outlives its round.",
      "Choose the placement \"server\" or \"local\", and error feedback \"ef-sgd\" or none."),
    Entry(
      "E3343", "a shared model where each client gets its own message",
      "A shadow is one model that the server and all clients hold, moved by what is sent. FedD2S, "
        + "FedDistill and KnFu send each client something else: there is nothing to share.",
      "Set shadow to false; the codec then encodes each client's message for it alone."),
    Entry(
      "E3360", "a table without speeds", "compute \"table\" needs a speed for each client.",
      "Give \"path\" of a file with a speed per line, or \"values\"."),
    Entry(
      "E3361", "speeds and clients differ in number",
      "A table of speeds has one for each client, client 0 first.",
      "Give as many speeds as federation.clients says."),
    Entry(
      "E3362", "partial work without a deadline",
      "Stragglers make fewer steps so that they meet a deadline; there is none.",
      "Give system.deadline, or leave stragglers out."),
    Entry(
      "E3363", "the clock does not fit client-level privacy",
      "The accountant knows how cohorts are drawn and that the noise of a release is whole. "
        + "Cohorts of those who arrive first, who are there, or who keep a server busy are drawn "
        + "otherwise; shares of noise that do not arrive are missing.",
      "Leave the field named away, protect examples instead, or let the server add the noise."),
    Entry(
      "E3364", "sums that the clock would break",
      "EF21's estimates and the factors of a cohort's mean are summed from all clients of an "
        + "exchange before anybody knows who comes too late, and from one cohort at a time.",
      "Leave system.deadline, overSelection and traces out, take a synchronous method, or "
        + "\"feedback\": \"ef-sgd\" and \"sums\": \"updates\"."),
    Entry(
      "E3365", "selection by losses does not know who is there",
      "Cohorts that are chosen by losses are chosen among all clients, and are never larger.",
      "Leave system.availability and overSelection out, or draw cohorts uniformly."),
    Entry(
      "E3370", "no one clip for what is sent",
      "Client-level privacy clips all floats of a message as one vector and gives each of them the "
        + "same noise. A step count beside an update, or means and covariances beside a model, "
        + "are numbers of other sizes: the clip of one ruins the other, however large the clip is.",
      "Take a method that sends updates alone, or protect examples instead of clients."),
    Entry(
      "E3372", "two deltas", "privacy.delta and privacy.target.delta say different things.",
      "Give one of them."),
    Entry(
      "E3220", "no validation images",
      "The best round, and when to stop, are decided on images that are kept out of training; the "
        + "test set is never used to choose.",
      "Give evaluation.validation, or leave selectBy, best and patience out."),
    Entry(
      "E3221", "unseen clients without a network",
      "Groups of clients with networks of their own are counted out over federation.clients; "
        + "clients beside them have none.", "Leave clientModels or evaluation.unseen out."),
    Entry(
      "E3223", "ends of an extended run that are none",
      "federation.extended lists the last rounds of before, ascending; the run now ends later.",
      "Leave it to fedsim resume DIR --set federation.rounds=N."),
    Entry(
      "W3001", "single seed", "With one seed no interval can be given.",
      "Use three seeds or more; eight for tests after correction for four rivals."),
    Entry(
      "W3002", "disabled method", "With this value, or this model, the method equals another one.",
      "Use the paper's value, another model, or the simpler method."),
    Entry(
      "W3003", "batch larger than a client", "Most clients have fewer images than a batch.",
      "Lower client.batch or the number of clients."),
    Entry(
      "W3004", "clients that never take part", "So few are drawn that some are never drawn.",
      "Raise participation or rounds."),
    Entry(
      "W3005", "another optimizer than the paper's",
      "The method is made for plain SGD steps: SCAFFOLD's control variates correct those, and a "
        + "pool's unused adapters rest only under those.",
      "Set client.optimizer.kind to sgd and client.optimizer.momentum to 0."),
    Entry(
      "W3006", "no long tail", "A factor of 1 leaves all classes equal.",
      "Remove longTail, or give a larger factor."),
    Entry("W3007", "no rounds", "Nothing is trained.", "Set federation.rounds."),
    Entry(
      "W3008", "same strategy twice", "Two strategies have the same kind and settings.",
      "Remove one of them."),
    Entry(
      "W3009", "mirrored digits", "A mirrored digit or letter is another one, or none.",
      "Leave flip out, unless the images are of things."),
    Entry(
      "W3010", "endless warm-up", "The learning rate never reaches its value.",
      "Shorten the warm-up or raise the rounds."),
    Entry(
      "W3011", "cap without effect",
      "data.longTail.maxPerClass is above the size that every class has in any case.",
      "Remove it, or give less."),
    Entry(
      "W3012", "local test without effect",
      "A field of data.test belongs to another policy, or asks for more images than there are.",
      "Remove it, or choose the policy that it belongs to."),
    Entry(
      "W3014", "resize without effect", "The images of this data set have that size already.",
      "Leave data.resize out."),
    Entry(
      "W3013", "many starts in vain",
      "An asynchronous round lasts until enough messages have arrived. Where most clients vanish "
        + "or most messages are lost, many more clients are started, and trained, than arrive.",
      "Lower system.dropout or system.loss, or plan with fewer rounds."),
    Entry(
      "W3020", "what to know of a method",
      "The method can run, but its numbers need a remark: a setting that others do not have, or a "
        + "network that suits it badly.",
      "The message says what it is; the remark stands in the report, too."),
    Entry(
      "W3021", "a setting without effect",
      "The field is given, and nothing would change without it: another field, the number of "
        + "rounds or the method has made it meaningless. Results are those of its default.",
      "Do what the message says, or nothing if the field is meant for the other strategies of the "
        + "comparison."),
    Entry(
      "W3022", "choosing a round is not private",
      "Epsilon is about what training discloses. Which round is the best by validation images, and "
        + "when a run stops, depends on images without noise.",
      "Fix the number of rounds beforehand, or say so beside epsilon."),
    Entry(
      "W3030", "frozen network that nothing trained",
      "The method trains a small part on top of a network that stays as it is. Here that network "
        + "would be random, so its features say little.",
      "Add model.pretrain, or take trained weights by model.init with kind file and head fresh."),
    Entry(
      "W3031", "updates count alike",
      "Weights by size would let a large client move the mean by more than the clip.",
      "Set federation.weighting to \"uniform\"."),
    Entry(
      "W3032", "no formal guarantee",
      "Something leaves the clients that the mechanism does not cover, so that no epsilon holds "
        + "for the run as a whole, however much noise there is elsewhere.",
      "Take a method whose uploads come from training steps alone, a loss without class counts, or "
        + "privacy.unit \"client\" for a method that sends no whole numbers, which get no noise."),
    Entry(
      "W3033", "no noise", "Clipping alone is no privacy: epsilon is infinite.",
      "Give a noise multiplier above 0."),
    Entry(
      "W3034", "large delta",
      "With delta at 1 / number of units, giving one unit away whole would pass as private.",
      "Take a delta well below it; 1 / N^1.1 is customary. Units are clients, or, at example "
        + "level, the images of one client."),
    Entry(
      "W3035", "cohorts differ between strategies",
      "Clients are chosen by what they report of the method's own training, so under one seed the "
        + "strategies meet different cohorts. Differences between them include that.",
      "This is what the selection does; compare with the same strategies under \"uniform\"."),
    Entry(
      "W3036", "scales share a clip",
      "Updates and control variates are sent in one message, which is clipped and noised as one "
        + "vector; which takes most of the clip depends on the learning rate and the steps.",
      "Look at the share of clipped messages and at noise / signal in the report."),
    Entry(
      "W3037", "nothing is sent",
      "Client-level privacy protects what clients send, and this method's clients send nothing.",
      "Leave privacy out for this strategy: \"privacy\": \"none\"."),
    Entry(
      "W3038", "smaller steps of small clients",
      "Under example-level privacy the noisy sum is divided by client.batch, whatever was drawn: "
        + "the size of a batch is private. A client with n images draws at most n, so that its "
        + "steps are at most n / batch as long as without privacy.",
      "Set client.batch to the size of the smallest clients that matter."),
    Entry(
      "W3041", "momentum counts twice",
      "Deep gradient compression accumulates momentum itself; momentum in local steps or at the "
        + "server comes on top.", "Set the other momentum to 0."),
    Entry(
      "W3042", "error feedback of an unbiased codec",
      "Theory bounds the memory for codecs that contract; an unbiased one may enlarge what it "
        + "encodes.", "Set errorFeedback to false."),
    Entry(
      "W3043", "biased codec without error feedback",
      "What the codec leaves out is lost in every round, and mostly in the same places.",
      "Set errorFeedback to true, unless this loss is what you study."),
    Entry(
      "W3060", "settings of synchronous rounds",
      "Asynchronous methods wait for nobody: deadlines, over-selection and partial work have no "
        + "meaning for them.",
      "Nothing, if the section is meant for the synchronous methods of the comparison."),
    Entry(
      "W3061", "not enough clients to over-select",
      "overSelection times the cohort is more than all clients; all of them are drawn.",
      "Lower federation.participation or overSelection."),
    Entry(
      "W3062", "a deadline that messages alone miss",
      "Two messages take two latencies, and the deadline is not longer: whoever sends and receives "
        + "comes too late.", "Give a longer deadline or a shorter latency."),
    Entry(
      "W3063", "no cohorts to select",
      "Asynchronous methods draw who starts next among idle clients by lot, whatever "
        + "federation.sampling says.",
      "Nothing, if the selection is meant for the synchronous methods of the comparison."),
  ]
}
