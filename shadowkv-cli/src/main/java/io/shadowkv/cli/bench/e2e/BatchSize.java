package io.shadowkv.cli.bench.e2e;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Number of sequences that decode together: a number, or as many as the memory plan admits.
///
/// @param sequences 1 or more; 0 means as many as fit
record BatchSize(int sequences) {
    static final BatchSize LARGEST = new BatchSize(0);

    boolean isLargest() {
        return sequences == 0;
    }

    /// Converts the argument of an option.
    static final class Converter implements ITypeConverter<BatchSize> {
        @Override
        public BatchSize convert(String value) {
            if (value.strip().equalsIgnoreCase("max")) {
                return LARGEST;
            }
            if (value.matches("\\d{1,6}") && Integer.parseInt(value) > 0) {
                return new BatchSize(Integer.parseInt(value));
            }
            throw new TypeConversionException(
                    "'" + value + "' is not a batch; expected a number of sequences from 1, or max for as many as fit");
        }
    }
}
