package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Tests help and version, and the command lines that are refused with exit code 2.
class UsageTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "run",
                "answer",
                "pull",
                "inspect",
                "tokenize",
                "logits",
                "calibrate",
                "backends",
                "demo",
                "eval",
                "sweep",
                "tasks",
                "serve",
                "ruler",
                "report",
                "bench",
                "completion"
            })
    void everyCommandExplainsItselfWithExamples(String command) {
        Shell.Result result = shadowkv(command, "--help").succeeded();
        assertThat(result.out())
                .startsWith("Usage: shadowkv " + command)
                .contains("Examples:", "  shadowkv " + command);
        assertThat(result.err()).isEmpty();
    }

    @Test
    void theRootListsEveryCommand() {
        assertThat(shadowkv("--help").succeeded().out())
                .contains(
                        "run ",
                        "answer ",
                        "pull ",
                        "serve ",
                        "inspect ",
                        "tokenize ",
                        "logits ",
                        "calibrate ",
                        "backends ",
                        "demo ",
                        "eval ",
                        "sweep ",
                        "ruler ",
                        "report ",
                        "bench ",
                        "completion ");
        // Only a build by the launcher knows the commit; see LauncherTest.
        assertThat(shadowkv("--version").succeeded().out())
                .isEqualTo("shadowkv (built from sources), commit unknown" + System.lineSeparator());
    }

    @Test
    void noCommandIsAMisuse() {
        shadowkv().refused(2, "no command given; one of run, answer, pull");
        shadowkv("rnu")
                .refused(2, "there is not a command 'rnu'; there are run, answer, pull", "Try 'shadowkv --help'.");
        shadowkv("--bogus").refused(2, "Unknown option: '--bogus'");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "run | Missing required parameter: 'MODEL'",
                "run needle-32k hi --bogus | Unknown option: '--bogus'",
                "run needle-32k hi there | Unmatched argument at index 3: 'there'",
                "run needle-32k hi --rank 0 | rank is 0; expected at least 1",
                "run needle-32k hi --rank x | Invalid value for option '--rank'",
                "run needle-32k hi --chunk-size 0 | chunk size is 0; expected at least 1",
                "run needle-32k hi --budget 100 | sparse budget is 100 tokens; expected a multiple of the chunk size, 8",
                "run needle-32k hi --outliers -1 | outlier chunks is -1; expected at least 0",
                "run needle-32k hi --local-tokens 12 | local tokens is 12 tokens; expected a multiple of the chunk size, 8",
                "run needle-32k hi --generated-tokens 0 | generated tokens is 0; expected at least 8",
                "run needle-32k hi --index tree | expected one of [landmarks, codes] (case-insensitive) but was 'tree'",
                "run needle-32k hi --index codes --chunk-size 8 --outliers 1 | --chunk-size, --outliers given with --index codes",
                "run needle-32k hi --paper --index codes | --index given with --paper, which sets them to the paper's",
                "run needle-32k hi --layer-budgets 8y | '8y' is not a layer's budget; expected tokens, such as 4096, or",
                "run needle-32k hi --layer-budgets 12 | budget of a layer is 12 tokens; expected a multiple of the chunk size, 8",
                "run needle-32k hi --budget 800000 --layer-budgets 9999x | --layer-budgets has 9999x, which of a budget of 800,000 tokens is 7,999,200,000 tokens; expected at most 999,999,999. Give a smaller multiple, or a number of tokens",
                "run needle-32k hi --method full --index codes | --index given with --method full",
                "run needle-32k hi --method sparse | expected one of [full, shadowkv] (case-insensitive) but was 'sparse'",
                "run needle-32k hi --method full --budget 64 --rank 8 | --rank, --budget given with --method full",
                "run needle-32k hi --kv-type int8 | expected one of [f32, bf16, f16] (case-insensitive) but was 'int8'",
                "run needle-32k hi --backend tpu | there is no backend \"tpu\"; there are auto, ",
                "run needle-32k hi --threads -1 | threads is -1; expected 1 or more, or 0 for one per core",
                "run needle-32k hi --vector-bits 96 | vector width is 96 bits; expected 128, 256 or 512",
                "run needle-32k hi --prefill-rows -1 | number of prefill rows is -1; expected 1 or more",
                "run needle-32k hi --prefill-chunk -1 | number of prefill rows is -1; expected 1 or more",
                "run needle-32k hi --memory 8Q | '8Q' is not a size; expected a number of bytes above 0 such as 8G or 512M",
                "run needle-32k hi --host-memory 0 | '0' is not a size",
                "run needle-32k hi --temperature -0.5 | temperature is -0.5; expected 0 (greedy) to 100",
                "run needle-32k hi --top-k -1 | top-k is -1; expected 0 (off) or more",
                "run needle-32k hi --top-p 0 | top-p is 0.0; expected above 0, up to 1 (off)",
                "run needle-32k hi --min-p 2 | min-p is 2.0; expected 0 (off) to 1",
                "run needle-32k hi --repetition-penalty 0 | repetition penalty is 0.0; expected above 0",
                "run needle-32k hi -n 0 | max new tokens is 0; expected 1 or more",
                "run needle-32k hi --stop= | a stop string is empty",
                "run needle-32k hi --file x.txt | text given as an argument and with --file x.txt; give one of them",
                "run needle-32k | the prompt is empty",
                "run needle-32k hi --chat --json | --chat and --json are both given",
                "run needle-32k hi --chat --raw | --chat and --raw are both given",
                "run needle-32k hi --raw --system x | --raw and --system are both given",
                "run needle-32k hi --context 100 | --context is given without --chat",
                "serve --port 70000 | port is 70000; expected 0 (any free port) to 65535",
                "serve --devices 1,1 | --devices is [1, 1]; expected different numbers of GPUs, 0 or more, such as 0,1",
                "serve needle-32k --random llama-3.1-8b | MODEL needle-32k and --random are both given",
                "serve --layers 2 | --layers is given without --random",
                "serve --random gpt-5 | --random: ",
                "serve --max-n 0 | choices is 0; expected 1 or more",
                "serve --request-timeout -1 | request time is PT-1S; expected zero (no limit) or more",
                "serve --max-waiting 0 | max waiting is 0 requests; expected 1 or more",
                "inspect needle-32k --batch 0 | --batch is 0; expected 1 or more",
                "inspect needle-32k --context -3 | --context is -3; expected 1 or more",
                "tokenize needle-32k hi --decode 1 | only one of a text, --decode and --chat can be given",
                "logits needle-32k --out x.safetensors | Missing required option: '--ids=FILE.json'",
                "logits needle-32k --ids x.json | Missing required option: '--out=FILE.safetensors'",
                "logits needle-32k --ids x.json --out y --generate -1 | --generate is -1; expected 0 or more",
                "logits needle-32k --ids x.json --out y --positions some | expected one of [last, all]",
                "calibrate | Missing required parameter: 'MODEL'",
                "calibrate needle-32k --layer-budgets 8x | --layer-budgets is given, but calibrate proposes it. Leave it out",
                "calibrate needle-32k --mass 0.5 --kl 0.1 | --mass and --kl are both given; give one of them",
                "calibrate needle-32k --mass 2 | --mass: attention mass is 2.0; expected above 0, up to 1",
                "calibrate needle-32k --kl 0 | --kl: KL divergence is 0.0 nats; expected above 0",
                "calibrate needle-32k --positions 0 | --positions is 0; expected 1 or more, and fewer than --tokens, 16384",
                "calibrate needle-32k --index landmarks,codes | --index has several values; this command takes one",
                "bench | no benchmark given; one of e2e",
                "bench e2e --context 4k | no model is given; give --model MODEL, or --random SHAPE",
                "bench e2e --context 4k --model needle-32k --random yi-9b | --model and --random are both given",
                "bench e2e --context 4k --model needle-32k --layers 2 | --layers is given with --model",
                "bench e2e --context 4k --random gpt-5 | --random: ",
                "bench e2e --context 4k --random yi-9b --layers 99 | --layers is 99; expected 1 to 48",
                "bench e2e --random yi-9b | Missing required option: '--context=TOKENS'",
                "bench e2e --random yi-9b --context 4x | '4x' is not a number of tokens; expected 1 or more, such as 122k",
                "bench e2e --random yi-9b --context 4k,4096 | --context has 4,096 tokens more than once",
                "bench e2e --random yi-9b --context 4k --batch all | 'all' is not a batch; expected a number of sequences",
                "bench e2e --random yi-9b --context 4k --steps 0 | --steps is 0; expected 1 or more",
                "bench e2e --random yi-9b --context 4k --warmup -1 | --warmup is -1; expected 0 or more",
                "bench e2e --random yi-9b --context 4k --hit-rate 60 | --hit-rate is 60.0; expected 0 to 1, such as 0.6",
                "bench e2e --random yi-9b --context 4k --method full --hit-rate 0.6 | which selects nothing",
                "bench e2e --random yi-9b --context 4k --budget 7 | sparse budget is 7; expected at least 8",
                "ruler | no command given; one of build",
                "ruler build --out x | Missing required option: '--length=TOKENS'",
                "ruler build --length 4k | Missing required option: '--out=DIR'",
                "ruler build --length 4k --out x --tasks niah | \"ruler/niah\" is not a task",
                "ruler build --length 4k --out x --samples 0 | --samples is 0; expected 1 or more",
                "ruler build --length 4k --out x --ruler-version new | expected nvidia or shadowkv",
                "ruler build --length 4k --out x --template bert | there is no template \"bert\"; there are base",
                "pull | nothing to pull; give ORG/NAME of a model, --suite SUITE, or --dataset ORG/NAME with --files and --to",
                "pull ../x | is not a repository; expected ORG/NAME",
                "pull a/b --revision ../main | is not a revision; expected a branch, a tag or a commit",
            })
    void refusesWithTheReason(String line, String reason) {
        shadowkv((Object[]) line.split(" ")).refused(2, reason, "Try 'shadowkv ");
    }

    @Test
    void askingForTextAtATerminalWaitsForNobody() {
        new Shell()
                .atTerminal()
                .run("run", "needle-32k")
                .refused(2, "no text given; pass it as an argument, with --file FILE, or through a pipe");
    }

    @Test
    void debugShowsTheStackTrace() {
        Shell.Result result = shadowkv("inspect", "no-such-model", "--debug");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).contains("no-such-model: no such folder", "\tat io.shadowkv.cli.");
    }
}
