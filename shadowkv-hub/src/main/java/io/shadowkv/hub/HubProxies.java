package io.shadowkv.hub;

import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// HTTP proxies, as given by the variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`; the caller
/// reads the environment. Immutable.
///
/// A name and password in an address are sent to the proxy with the first request. To a proxy that
/// opens a tunnel (for every https address), the JDK's client sends them only if the system
/// property `jdk.http.auth.tunneling.disabledSchemes` was set to the empty string before the
/// client's first use.
public final class HubProxies {
    private static final Pattern NETWORK = Pattern.compile("([0-9a-fA-F.:]+)/(\\d{1,3})");
    private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");
    private static final int DEFAULT_PORT = 80;

    private final Map<String, Server> servers;
    private final List<String> exceptions;

    /// @param authorization value of the header for the proxy; null for none
    record Server(String host, int port, @Nullable String authorization) {
        /// The server without its authorization, which is secret.
        @Override
        public String toString() {
            return host + ":" + port;
        }
    }

    private HubProxies(Map<String, Server> servers, List<String> exceptions) {
        this.servers = Map.copyOf(servers);
        this.exceptions = List.copyOf(exceptions);
    }

    /// No proxies except those of the JVM's own system properties.
    public static HubProxies none() {
        return new HubProxies(Map.of(), List.of());
    }

    /// @param http proxy of http addresses, `[http://][USER:PASSWORD@]HOST[:PORT]`; blank for none
    /// @param https proxy of https addresses, in the same format
    /// @param exceptions hosts reached directly, separated by commas; a host includes its
    ///     subdomains, and `*` means every host; addresses, networks (`10.0.0.0/8`) and ports
    ///     (`host:8080`) are supported
    /// @throws IllegalArgumentException if the client cannot use a proxy; the message does not
    ///     contain a password
    public static HubProxies of(String http, String https, String exceptions) {
        Map<String, Server> servers = new TreeMap<>();
        server(http).ifPresent(server -> servers.put("http", server));
        server(https).ifPresent(server -> servers.put("https", server));
        List<String> hosts = Stream.of(exceptions.split("[,\\s]+"))
                .filter(host -> !host.isEmpty())
                .map(host -> host.toLowerCase(Locale.ROOT))
                .toList();
        return new HubProxies(servers, hosts);
    }

    private static Optional<Server> server(String text) {
        if (text.isBlank()) {
            return Optional.empty();
        }
        URI address;
        try {
            address = new URI(text.contains("://") ? text.strip() : "http://" + text.strip());
        } catch (URISyntaxException e) {
            // The exception repeats the whole address, which may contain a password.
            throw new IllegalArgumentException(
                    "not the address of a proxy (" + e.getReason() + " at character " + (e.getIndex() + 1)
                            + "); expected [http://][USER:PASSWORD@]HOST[:PORT], with % codes for special characters in a password");
        }
        if (!"http".equalsIgnoreCase(address.getScheme()) || address.getHost() == null) {
            throw new IllegalArgumentException("\"" + HubErrors.shown(address)
                    + "\" is not a supported proxy; expected [http://][USER:PASSWORD@]HOST[:PORT]. Proxies"
                    + " with https or SOCKS are not supported");
        }
        return Optional.of(new Server(
                address.getHost(),
                address.getPort() < 0 ? DEFAULT_PORT : address.getPort(),
                authorization(address.getRawUserInfo())));
    }

    private static @Nullable String authorization(@Nullable String userInfo) {
        if (userInfo == null || userInfo.isEmpty()) {
            return null;
        }
        // A plus sign stands for itself here, unlike in a form.
        String plain = URLDecoder.decode(userInfo.replace("+", "%2B"), StandardCharsets.UTF_8);
        String pair = plain.contains(":") ? plain : plain + ":";
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }

    boolean isEmpty() {
        return servers.isEmpty();
    }

    /// The proxy for requests to `address`.
    Optional<Server> serverFor(URI address) {
        Server server = servers.get(String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT));
        return server == null || isException(address) ? Optional.empty() : Optional.of(server);
    }

    /// The same choice as a selector for the JDK's client.
    ProxySelector selector() {
        return new ProxySelector() {
            @Override
            public List<Proxy> select(URI address) {
                return List.of(serverFor(address)
                        .map(server -> new Proxy(
                                Proxy.Type.HTTP, InetSocketAddress.createUnresolved(server.host(), server.port())))
                        .orElse(Proxy.NO_PROXY));
            }

            @Override
            public void connectFailed(URI address, SocketAddress proxy, IOException failure) {
                // Ignored, because the request fails with the same exception.
            }
        };
    }

    private boolean isException(URI address) {
        String host = String.valueOf(address.getHost()).toLowerCase(Locale.ROOT).replaceAll("[\\[\\]]", "");
        int port = address.getPort() >= 0 ? address.getPort() : "https".equals(address.getScheme()) ? 443 : 80;
        return exceptions.stream().anyMatch(exception -> matches(exception, host, port));
    }

    private static boolean matches(String exception, String host, int port) {
        if (exception.equals("*")) {
            return true;
        }
        Matcher network = NETWORK.matcher(exception);
        if (network.matches()) {
            return isInside(host, network.group(1), Integer.parseInt(network.group(2)));
        }
        String bare = exception;
        Matcher withPort = Pattern.compile("(\\[[^]]*]|[^:]*):(\\d{1,5})").matcher(exception);
        if (withPort.matches()) {
            if (Integer.parseInt(withPort.group(2)) != port) {
                return false;
            }
            bare = withPort.group(1);
        }
        bare = bare.replaceAll("[\\[\\]]", "").replaceFirst("^\\*?\\.", "");
        return !bare.isEmpty() && (host.equals(bare) || host.endsWith("." + bare));
    }

    /// True if a numeric address is in a network; names of hosts are not looked up.
    private static boolean isInside(String host, String network, int bits) {
        if (!ADDRESS.matcher(host).matches()) {
            return false;
        }
        try {
            byte[] inner = InetAddress.ofLiteral(host).getAddress();
            byte[] outer = InetAddress.ofLiteral(network).getAddress();
            int shift = inner.length * Byte.SIZE - bits;
            return inner.length == outer.length
                    && shift >= 0
                    && new BigInteger(1, inner).shiftRight(shift).equals(new BigInteger(1, outer).shiftRight(shift));
        } catch (IllegalArgumentException e) {
            // Not an address, such as 999.1.1.1.
            return false;
        }
    }
}
