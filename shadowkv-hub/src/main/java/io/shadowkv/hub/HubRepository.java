package io.shadowkv.hub;

/// A repository of a hub; its kind decides its addresses and its folder in the cache.
///
/// @param name `ORG/NAME`, checked by [HubNames]
record HubRepository(Kind kind, String name) {
    /// What a hub keeps apart.
    enum Kind {
        MODELS(""),
        DATASETS("datasets/");

        /// What stands before a repository's name in the address of its content.
        private final String prefix;

        Kind(String prefix) {
            this.prefix = prefix;
        }

        private String plural() {
            return this == MODELS ? "models" : "datasets";
        }
    }

    /// Below the endpoint: what the repository holds.
    String apiPath() {
        return "/api/" + kind.plural() + "/" + name;
    }

    /// Below the endpoint: its files.
    String contentPath() {
        return "/" + kind.prefix + name;
    }

    /// In the cache folder, as other programs name it too.
    String folderName() {
        return kind.plural() + "--" + name.replace("/", "--");
    }
}
