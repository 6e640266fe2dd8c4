/// The HTTP server: OpenAI's API for one engine.
module io.shadowkv.server {
    requires static org.jspecify;
    requires io.prometheus.metrics.config;
    requires io.prometheus.metrics.core;
    requires io.prometheus.metrics.model;
    requires io.prometheus.writer.text;
    requires jdk.httpserver;
    requires tools.jackson.databind;
    requires transitive io.shadowkv.core;

    exports io.shadowkv.server;
}
