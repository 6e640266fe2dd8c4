/// `bench`: the group of benchmark commands.
@NullMarked
package io.shadowkv.cli.bench;

import org.jspecify.annotations.NullMarked;
