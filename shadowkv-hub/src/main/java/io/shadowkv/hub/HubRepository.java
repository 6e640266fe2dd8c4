package io.shadowkv.hub;

/// A repository of a hub; its kind determines its addresses and its folder in the cache.
///
/// @param name `ORG/NAME`, checked by [HubNames]
record HubRepository(Kind kind, String name) {
    /// The kinds of repositories.
    enum Kind {
        MODELS(""),
        DATASETS("datasets/");

        /// The prefix of a repository's name in the address of its content.
        private final String prefix;

        Kind(String prefix) {
            this.prefix = prefix;
        }

        private String plural() {
            return this == MODELS ? "models" : "datasets";
        }
    }

    /// Path below the endpoint that lists the files.
    String apiPath() {
        return "/api/" + kind.plural() + "/" + name;
    }

    /// Path below the endpoint that contains the files.
    String contentPath() {
        return "/" + kind.prefix + name;
    }

    /// Name of the folder in the cache, which other programs use too.
    String folderName() {
        return kind.plural() + "--" + name.replace("/", "--");
    }
}
