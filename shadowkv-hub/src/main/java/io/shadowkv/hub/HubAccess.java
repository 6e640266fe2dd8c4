package io.shadowkv.hub;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/// How a hub is reached; the caller reads the environment.
///
/// @param endpoint such as the value of HF_ENDPOINT: scheme http or https, a host, perhaps a path
/// @param token sent to the endpoint only, never to a host it redirects to; null for none
/// @param proxies between this machine and other hosts
/// @param isOffline true asks no server at all: what is in the cache is all there is
public record HubAccess(URI endpoint, @Nullable HubToken token, HubProxies proxies, boolean isOffline) {
    /// @throws IllegalArgumentException if the endpoint is not an http address, or holds a name or a password
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

    /// Directly, and without a token.
    public static HubAccess of(URI endpoint) {
        return new HubAccess(endpoint, null, HubProxies.none(), false);
    }
}
