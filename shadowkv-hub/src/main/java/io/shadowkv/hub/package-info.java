/// Downloads models and files of datasets from a hub into the standard cache folder, and finds them
/// there.
///
/// In: names. Out: paths of files with verified checksums. Called by the command line.
@NullMarked
package io.shadowkv.hub;

import org.jspecify.annotations.NullMarked;
