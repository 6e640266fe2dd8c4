/// Reads request bodies strictly, with messages that name the field.
@NullMarked
package io.shadowkv.server.json;

import org.jspecify.annotations.NullMarked;
