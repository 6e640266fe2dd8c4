package io.shadowkv.text.jinja.builtin;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Compares formats with the output of Python 3.11 on Linux.
class TimeFormatTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', ignoreLeadingAndTrailingWhitespace = false, textBlock = """
            2026-03-07T05:04:09|%c|Sat Mar  7 05:04:09 2026
            2026-03-07T05:04:09|%U %W %V %G %C|09 09 10 2026 20
            2026-03-07T05:04:09|%k %l %P %r %s| 5  5 am 05:04:09 AM 1772859849
            2026-03-07T05:04:09|%d %-d %e %_d %j %-j|07 7  7  7 066 66
            2026-03-07T05:04:09|%a %A %b %h %B %y %m %H %I %M %S %p %w %u|Sat Saturday Mar Mar March 26 03 05 05 04 09 AM 6 6
            2026-03-07T05:04:09|%F %T %D %R %x %X%z%Z %%|2026-03-07 05:04:09 03/07/26 05:04 03/07/26 05:04:09 %
            2026-03-07T05:04:09|%^a %#a %#p %5d %-5d %010Y %_5m|SAT SAT am 00007     7 0000002026     3
            2024-12-31T23:59:59.123456|%U %W %V %G %g %f %l %k %P|52 53 01 2025 25 123456 11 23 pm
            2023-01-01T00:00:00|%U %W %V %G %I %l %k %j|01 00 52 2022 12 12  0 001
            2021-01-03T12:00:05|%U %W %V %G %I %p|01 00 53 2020 12 PM
            2026-03-07T05:04:09|%Q %L %Ey 100%|%Q %L %Ey 100%""")
    void printsAsPython(LocalDateTime time, String format, String expected) {
        assertThat(TimeFormat.text(format, time.atZone(ZoneOffset.UTC))).isEqualTo(expected);
    }
}
