/// The page in the browser, and the live figures that it shows.
///
/// In: requests for `/`, its files and `/v1/live`. Out: static files, and events about twice a
/// second. The page itself is a client of the API like others.
@NullMarked
package io.shadowkv.server.page;

import org.jspecify.annotations.NullMarked;
