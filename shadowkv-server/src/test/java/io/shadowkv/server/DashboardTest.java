package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.nio.file.Files;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The dashboard for Grafana in `deploy/grafana`.
class DashboardTest {
    private static final Pattern NAME = Pattern.compile("(?:vllm|shadowkv):[a-z0-9_]+");

    @Test
    void everyNameIsExported() throws Exception {
        String text = Files.readString(Fixtures.repository().resolve("deploy/grafana/shadowkv.json"));
        JsonNode dashboard = JsonMapper.shared().readTree(text);
        Set<String> wanted = new TreeSet<>(NAME.matcher(dashboard
                        .path("templating")
                        .path("list")
                        .path(1)
                        .path("query")
                        .stringValue())
                .results()
                .map(MatchResult::group)
                .toList());
        for (JsonNode panel : dashboard.path("panels")) {
            for (JsonNode target : panel.path("targets")) {
                Set<String> names = NAME.matcher(target.path("expr").stringValue())
                        .results()
                        .map(MatchResult::group)
                        .collect(Collectors.toSet());
                assertThat(names).as(panel.path("title").stringValue()).isNotEmpty();
                wanted.addAll(names);
            }
        }
        assertThat(wanted).hasSizeGreaterThan(20);
        try (TestServer server = TestServer.start()) {
            server.post("/v1/chat/completions", TestServer.chat("hello", ",\"max_tokens\":2"));
            Set<String> exported = server.get("/metrics")
                    .body()
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.substring(0, line.indexOf('{')))
                    .collect(Collectors.toSet());
            assertThat(exported).containsAll(wanted);
            // Nothing is exported that no panel shows.
            Set<String> shown = wanted.stream().map(DashboardTest::family).collect(Collectors.toSet());
            assertThat(exported.stream().map(DashboardTest::family))
                    .allSatisfy(name -> assertThat(shown).contains(name));
        }
    }

    private static String family(String sample) {
        return sample.replaceFirst("_(bucket|sum|count)$", "");
    }
}
