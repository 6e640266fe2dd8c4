/// The seam between the endpoints and the HTTP library.
@NullMarked
package io.shadowkv.server.http;

import org.jspecify.annotations.NullMarked;
