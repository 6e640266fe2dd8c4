package io.shadowkv.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Templates on messages with many parts copy each character a few times, not once per part. The
/// test counts the bytes that the rendering allocates, not its time.
class LinearWorkTest {
    private static final ZonedDateTime NOW = ZonedDateTime.of(2026, 3, 7, 5, 4, 9, 0, ZoneOffset.UTC);
    private static final int PARTS = 60_000;

    /// The objects of a part: its string, an entry of a list, scopes of a loop. Copying the rest
    /// for each part would take thousands of times as much.
    private static final long BYTES_A_PART = 1500;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ text.split(',')|length }}",
                "{{ text.rsplit(',')|length }}",
                "{{ text.split()|length }}",
                "{{ text.rsplit()|length }}",
                "{{ text.rsplit(none, 50000)|length }}",
                "{{ text.split(',', 50000)[-1]|length }}",
                "{{ text.rsplit(',', 50000)[0]|length }}",
                "{{ text.splitlines()|length }}",
                "{{ text.replace(',', ';')|length }}",
                "{{ text.replace(',', ';', 50000)|length }}",
                "{{ text.replace('', '.')|length }}",
                "{{ text.count(',') }}",
                "{{ text.strip('abc, \n')|length }}",
                "{{ text|trim|length }}",
                "{{ text.split(',')|join(';')|length }}",
                "{{ ';'.join(text.split(','))|length }}",
                "{{ text.split(',')|map('upper')|select('eq', 'X')|list|length }}",
                "{{ text.split(',')|unique|list|length }}",
                "{{ numbers|unique|list|length }}",
                "{% for n in numbers[::6] %}{{ text[n] }}{{ text[-n - 1] }}{% endfor %}",
                "{% for n in numbers[::6] %}{{ text[n:n + 2] }}{% endfor %}",
                "{% for n in numbers %}{{ numbers[n] }}{{ numbers[-1] }}{{ loop.previtem }}{% endfor %}",
                "{% for n in numbers %}{{ numbers|first }}{{ numbers|last }}{{ text|first }}{{ text|last }}{% endfor %}",
                "{% for n in numbers %}{{ text.startswith('a') and text.endswith('b') }}{% endfor %}",
                "{{ text|indent|length }}",
                "{{ text|wordcount }}",
                "{{ text|title|length }}",
                "{{ text|tojson|length }}",
                "{{ text[1:-1]|length }}",
                "{{ text[::-1]|length }}",
                "{{ ('%% ' * 60000 % ())|length }}",
                "{{ ('{0} ' * 60000).format(1)|length }}",
                "{% for n in numbers[::60] %}{{ text.startswith('b', n) }}{{ text.rfind('b', n) }}{% endfor %}",
            })
    void copiesEachCharacterAFewTimes(String source) {
        String text = "ab, \n".repeat(PARTS);
        List<Long> numbers = LongStream.range(0, PARTS).boxed().toList();
        Map<String, Object> variables = Map.of("text", text, "numbers", numbers);
        Template template = Template.of(source);
        ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = thread.getCurrentThreadAllocatedBytes();
        template.render(variables, NOW);
        long bytes = thread.getCurrentThreadAllocatedBytes() - before;
        assertThat(bytes).as(source).isLessThan(BYTES_A_PART * PARTS);
    }
}
