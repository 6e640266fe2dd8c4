/// One class for each path of the API.
@NullMarked
package io.shadowkv.server.endpoint;

import org.jspecify.annotations.NullMarked;
