/// Parses a template's source into statements and expressions.
@NullMarked
package io.shadowkv.text.jinja.syntax;

import org.jspecify.annotations.NullMarked;
