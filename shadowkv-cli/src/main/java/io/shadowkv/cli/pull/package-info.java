/// `pull`: gets models and published data files from a hub or from files that the user has.
///
/// In: names. Out: folders in the cache. The protocol of the hub is in [io.shadowkv.hub].
@NullMarked
package io.shadowkv.cli.pull;

import org.jspecify.annotations.NullMarked;
