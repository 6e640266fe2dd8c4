/// Downloads models and files of datasets from a hub into the standard cache folder.
module io.shadowkv.hub {
    requires java.net.http;
    requires static org.jspecify;
    requires tools.jackson.databind;

    exports io.shadowkv.hub;
}
