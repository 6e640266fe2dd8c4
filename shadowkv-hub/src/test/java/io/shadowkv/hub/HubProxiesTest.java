package io.shadowkv.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubProxiesTest {
    private static String server(HubProxies proxies, String address) {
        return proxies.serverFor(URI.create(address)).map(Object::toString).orElse("direct");
    }

    @Test
    void eachSchemeHasItsProxy() {
        HubProxies proxies = HubProxies.of("http://plain.example:3128/", "secure.example", "");
        assertThat(server(proxies, "http://hub.example/x")).isEqualTo("plain.example:3128");
        assertThat(server(proxies, "https://hub.example/x")).isEqualTo("secure.example:80");
        Proxy chosen =
                proxies.selector().select(URI.create("http://hub.example")).getFirst();
        assertThat(chosen.type()).isEqualTo(Proxy.Type.HTTP);
        assertThat(((InetSocketAddress) chosen.address()).getHostString()).isEqualTo("plain.example");
        assertThat(server(HubProxies.of("", " ", "x"), "https://hub.example")).isEqualTo("direct");
        assertThat(HubProxies.none().isEmpty()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            *                    | https://hub.example          | direct
            hub.example          | https://hub.example          | direct
            hub.example          | https://cdn.HUB.example:8443 | direct
            .hub.example         | https://hub.example          | direct
            *.hub.example        | https://cdn.hub.example      | direct
            hub.example          | https://github.example       | p:80
            other, hub.example   | https://hub.example          | direct
            hub.example:443      | https://hub.example          | direct
            hub.example:8443     | https://hub.example          | p:80
            10.0.0.0/8           | https://10.1.2.3             | direct
            10.0.0.0/8           | https://11.1.2.3             | p:80
            10.0.0.0/8           | https://ten.example          | p:80
            10.0.0.0/99          | https://10.1.2.3             | p:80
            fd00::/8             | https://[fd12::1]:8443       | direct
            127.0.0.1            | https://127.0.0.1:5000       | direct
            [::1]:5000           | https://[::1]:5000           | direct
            ,                    | https://hub.example          | p:80
            """)
    void exceptionsAreReachedDirectly(String exceptions, String address, String expected) {
        assertThat(server(HubProxies.of("p", "p", exceptions), address)).isEqualTo(expected);
    }

    @Test
    void aNameAndPasswordGoToTheProxyAndNowhereElse() {
        HubProxies proxies = HubProxies.of("http://us%40er:p%3Aa+ss@proxy.example:1", "", "");
        HubProxies.Server server =
                proxies.serverFor(URI.create("http://hub.example")).orElseThrow();
        // us@er:p:a+ss
        assertThat(server.authorization()).isEqualTo("Basic dXNAZXI6cDphK3Nz");
        assertThat(server).hasToString("proxy.example:1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "socks5://user:secret@proxy.example:1080",
                "https://user:secret@proxy.example",
                "http://user:secret@",
                "http://user:sec ret@proxy.example",
                "user:secret@proxy.example:port"
            })
    void proxiesThatCannotBeUsedAreRefusedWithoutTheirPassword(String address) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HubProxies.of("", address, ""))
                .withMessageContaining("expected [http://][USER:PASSWORD@]HOST[:PORT]")
                .satisfies(refusal -> assertThat(refusal.getMessage()).doesNotContain("sec", "user:"));
    }
}
