package io.shadowkv.eval.metric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class JiebaSegmenterTest {
    /// The output of jieba 0.42.1, with a bar between words.
    private static final List<String> LINES = List.of(
            "我|来到|北京|清华大学|，|参加|了|2023|年|第|3|届|人工智能|大会|。",
            "小明|硕士|毕业|于|中国科学院|计算所|，|后|在|日本京都大学|深造",
            "他|来到|了|网易|杭研|大厦|，|吉林省|长春市|的|GDP|增长|了|12.5%|。",
            "会议|主要|讨论|了|关于|国有企业|改革|的|问题|，|认为|应该|先|完善|法人|治理|结构|，|再|考虑|员工|持股|。",
            "iPhone| |15| |Pro|的|价格|是|8999|元|（|约合|1|,|200|美元|）|，|AT&T|不|提供|。",
            "在|这次|会议|中|，|张晓明|与|李淑芬|就|“|乡村|振兴|”|战略|进行|了|深入|的|交流|—|—|他们|一致|认为|，|教育|是|关键|。",
            "“|段落|12|”|的|答案|是|：|不|知道|！|C++|和|c#|都|不错|，|T恤|9.9|元|包邮|。",
            "中华人民共和国国务院|总理|周恩来|在|外交部长|陈毅|的|陪同|下|访问|了|埃塞俄比亚|等|非洲|10|国|以及|阿尔巴尼亚",
            "吉林|和|黑龙江",
            "　|全角| |空格|，|tab|\t|和|é|、|𠮷|野家",
            "今天天气|不错|123.45|abc%|，|3.14|的|π",
            "王小波|写|了|《|黄金时代|》",
            "B超|检查|费用|为|50.5|元|/|次",
            "乒乓球|拍卖|完|了",
            "的|的|的|的",
            "结果|婚|的|和|尚未|结过婚|的",
            "abc|.|def|-|ghi|_|1| |+| |2%",
            "乡村|振兴|李淑|芬|龘|靐");

    @Test
    void cutsAsJieba() {
        Segmenter segmenter = JiebaSegmenter.load();
        for (String line : LINES) {
            assertThat(String.join("|", segmenter.cut(line.replace("|", "")))).isEqualTo(line);
        }
        assertThat(segmenter.cut("")).isEmpty();
    }
}
