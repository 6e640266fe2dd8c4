package io.shadowkv.text.jinja;

/// The value of what is not there: false, empty, printed as nothing; an error where a field of it is asked for.
///
/// @param what how messages call it
record Undefined(String what) {
    JinjaException used() {
        return new JinjaException(what + " is undefined");
    }
}
