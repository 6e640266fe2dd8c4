/// Fetches models and files of datasets from a hub into the standard cache folder, and finds them there again.
///
/// In: names. Out: paths of files whose checksums were verified. Called by the command line.
@NullMarked
package io.shadowkv.hub;

import org.jspecify.annotations.NullMarked;
