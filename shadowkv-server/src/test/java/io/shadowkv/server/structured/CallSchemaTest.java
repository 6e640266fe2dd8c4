package io.shadowkv.server.structured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.JsonBody;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Schemas of calls, and models that cannot be constrained.
class CallSchemaTest {
    private static JsonNode parsed(String json) {
        return JsonBody.tryRead(json.replace('\'', '"')).orElseThrow();
    }

    @Test
    void referencesLeadToTheNewPlace() {
        JsonNode parameters = parsed("""
                {'properties':{'$ref':{'$ref':'#/$defs/a'},'const':{'$ref':'#'},'b':{'const':{'$ref':'#/x'}}},
                 '$defs':{'a':{'anyOf':[{'$ref':'#/$defs/a'},{'enum':[{'$ref':'#'}]}]}}}""");
        JsonNode other = parsed("{'type':'object'}");
        JsonNode schema = CallSchema.of(List.of(new Tool("f", other, other), new Tool("g", parameters, parameters)));
        assertThat(schema.at("/anyOf/0/properties/arguments")).isEqualTo(other);
        assertThat(schema.at("/anyOf/1/properties/name/const").stringValue()).isEqualTo("g");
        String place = "#/anyOf/1/properties/arguments";
        assertThat(schema.at("/anyOf/1/properties/arguments")).isEqualTo(parsed("""
                {'properties':{'$ref':{'$ref':'%1$s/$defs/a'},'const':{'$ref':'%1$s'},'b':{'const':{'$ref':'#/x'}}},
                 '$defs':{'a':{'anyOf':[{'$ref':'%1$s/$defs/a'},{'enum':[{'$ref':'#'}]}]}}}""".formatted(place)));
    }

    @Test
    void aModelWithoutBytesIsRefusedWithTheReason() throws Exception {
        StructuredOutput output = StructuredOutput.start(() -> {
            throw new UnsupportedOperationException("no bytes for single tokens");
        });
        assertThat(output.constraint(new ResponseFormat.Text())).isNull();
        assertThatThrownBy(() -> output.constraint(new ResponseFormat.JsonObject()))
                .isInstanceOfSatisfying(ApiException.class, refused -> {
                    assertThat(refused.status()).isEqualTo(400);
                    assertThat(refused.param()).isEqualTo("response_format");
                    assertThat(refused).hasMessageContaining("no bytes for single tokens");
                });
    }
}
