package io.shadowkv.hub;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/// How to reach a hub; the caller reads the environment.
///
/// @param endpoint such as the value of HF_ENDPOINT: scheme http or https, a host, and optionally a
///     path
/// @param token sent only to the endpoint, never to a host it redirects to; null for none
/// @param proxies proxies for other hosts
/// @param isOffline if true, contacts no server and uses only the cache
public record HubAccess(URI endpoint, @Nullable HubToken token, HubProxies proxies, boolean isOffline) {
    /// @throws IllegalArgumentException if the endpoint is not an http address, or contains a name
    ///     or a password
    public HubAccess {
        String scheme = String.valueOf(endpoint.getScheme());
        if (!scheme.equalsIgnoreCase("http") && !scheme.equalsIgnoreCase("https") || endpoint.getHost() == null) {
            throw new IllegalArgumentException("hub endpoint \"" + HubErrors.shown(endpoint)
                    + "\" is not an address of a server; expected http(s)://HOST, see HF_ENDPOINT");
        }
        if (endpoint.getRawUserInfo() != null) {
            throw new IllegalArgumentException("hub endpoint \"" + HubErrors.shown(endpoint)
                    + "\" has a name or a password before the host, which are not sent to a hub; leave them out of"
                    + " HF_ENDPOINT and set HF_TOKEN");
        }
    }

    /// Access without a proxy or a token.
    public static HubAccess of(URI endpoint) {
        return new HubAccess(endpoint, null, HubProxies.none(), false);
    }
}
