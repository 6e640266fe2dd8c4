/// `bench sharing`: what callers of one engine cost each other.
@NullMarked
package io.shadowkv.cli.bench.sharing;

import org.jspecify.annotations.NullMarked;
