/// A page of headings, text, tables and figures, written as HTML or Markdown.
@NullMarked
package io.shadowkv.report.page;

import org.jspecify.annotations.NullMarked;
