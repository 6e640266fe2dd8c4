package io.shadowkv.text.grammar.regex;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Patterns of the formats that OpenAI's strict mode lists. It refuses others, and so do grammars.
///
/// Dates respect the months' lengths and leap years; times have no leap seconds; the parts of a
/// host name have at most 63 characters.
public final class Formats {
    private static final String LEAP_YEAR = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)";
    private static final String DATE = "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
            + "|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|" + LEAP_YEAR + "-02-29)";
    private static final String TIME =
            "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
    private static final String BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final String IPV4 = "(" + BYTE + "\\.){3}" + BYTE;
    private static final String HOST =
            "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?" + "(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*";
    private static final String ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
    private static final String CLOCK =
            "([0-9]{1,9}H([0-9]{1,9}M([0-9]{1,9}S)?)?|[0-9]{1,9}M([0-9]{1,9}S)?|[0-9]{1,9}S)";
    private static final String DAYS =
            "([0-9]{1,9}Y([0-9]{1,9}M([0-9]{1,9}D)?)?|[0-9]{1,9}M([0-9]{1,9}D)?|[0-9]{1,9}D)";

    private static final Map<String, String> PATTERNS = Map.of(
            "date",
            DATE,
            "time",
            TIME,
            "date-time",
            DATE + "T" + TIME,
            "duration",
            "P(" + DAYS + "(T" + CLOCK + ")?|T" + CLOCK + "|[0-9]{1,9}W)",
            "email",
            ATOM + "(\\." + ATOM + ")*@" + HOST,
            "hostname",
            HOST,
            "ipv4",
            IPV4,
            "ipv6",
            ipv6(),
            "uuid",
            "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");

    private Formats() {}

    /// The pattern of a format, or null if there is none.
    public static @Nullable String pattern(String format) {
        String pattern = PATTERNS.get(format);
        return pattern == null ? null : "^(" + pattern + ")$";
    }

    public static Set<String> names() {
        return new TreeSet<>(PATTERNS.keySet());
    }

    /// Eight groups, or fewer with `::` in the place of the others.
    private static String ipv6() {
        String group = "[0-9a-fA-F]{1,4}";
        StringBuilder pattern = new StringBuilder("(" + group + ":){7}" + group);
        for (int before = 0; before <= 7; before++) {
            String head = before == 0 ? "" : "(" + group + ":){" + (before - 1) + "}" + group;
            int most = 7 - before;
            String tail = most == 0 ? "" : "(" + group + "(:" + group + "){0," + (most - 1) + "})?";
            pattern.append('|').append(head).append("::").append(tail);
        }
        return pattern.toString();
    }
}
