/// A template's source as statements and expressions.
@NullMarked
package io.shadowkv.text.jinja.syntax;

import org.jspecify.annotations.NullMarked;
