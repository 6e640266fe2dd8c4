package io.shadowkv.text.jinja.runtime;

/// The value of a name that does not exist: false, empty, and printed as an empty string; accessing
/// a field of it is an error.
///
/// @param what its description in messages
public record Undefined(String what) {
    public JinjaException used() {
        return new JinjaException(what + " is undefined");
    }
}
