/// Options that several commands share, as picocli mixins, and the model and backend they open.
@NullMarked
package io.shadowkv.cli.option;

import org.jspecify.annotations.NullMarked;
