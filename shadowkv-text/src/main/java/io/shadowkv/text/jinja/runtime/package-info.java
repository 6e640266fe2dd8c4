/// Values of templates with Python's rules: operators, methods of strings, calls.
@NullMarked
package io.shadowkv.text.jinja.runtime;

import org.jspecify.annotations.NullMarked;
