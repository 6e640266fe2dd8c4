package io.shadowkv.text.jinja.runtime;

/// The value of what is not there: false, empty, printed as nothing; an error where a field of it is asked for.
///
/// @param what how messages call it
public record Undefined(String what) {
    public JinjaException used() {
        return new JinjaException(what + " is undefined");
    }
}
