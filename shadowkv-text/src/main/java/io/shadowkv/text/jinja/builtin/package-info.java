/// Jinja's filters and tests, and `strftime_now`.
@NullMarked
package io.shadowkv.text.jinja.builtin;

import org.jspecify.annotations.NullMarked;
