/// The model that is served: names, chat template, encoding.
@NullMarked
package io.shadowkv.server.model;

import org.jspecify.annotations.NullMarked;
