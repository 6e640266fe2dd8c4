/// A model in a backend's memory: decoder, tables of positions, text, and the limits of requests.
///
/// In: a checkpoint or a shape. Out: one object that everything that reads or decodes gets. Next:
/// [io.shadowkv.engine.batch].
@NullMarked
package io.shadowkv.engine.model;

import org.jspecify.annotations.NullMarked;
