package io.shadowkv.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.shadowkv.text.Json;
import java.math.BigDecimal;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Schemas that cannot be enforced are refused, with the keyword and its place.
class RefusedSchemaTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "not | '' | {'not':{}}",
                "if | /properties/a~1b | {'properties':{'a/b':{'if':{}}}}",
                "multipleOf | /items | {'items':{'type':'integer','multipleOf':3}}",
                "minimum | '' | {'type':'number','minimum':1,'exclusiveMaximum':1}",
                "exclusiveMinimum | '' | {'type':'integer','exclusiveMinimum':1,'exclusiveMaximum':2}",
                "minimum | '' | {'type':'number','minimum':1e30}",
                "maximum | '' | {'type':'number','maximum':'a'}",
                "minimum | '' | {'type':'integer','minimum':3,'maximum':2}",
                "minProperties | '' | {'type':'object','minProperties':1}",
                "patternProperties | '' | {'type':'object','patternProperties':{'a':{}}}",
                "propertyNames | '' | {'type':'object','propertyNames':{'pattern':'a'}}",
                "dependentRequired | '' | {'type':'object','dependentRequired':{}}",
                "unevaluatedProperties | '' | {'type':'object','unevaluatedProperties':false}",
                "uniqueItems | '' | {'type':'array','uniqueItems':true}",
                "contains | '' | {'type':'array','contains':{}}",
                "items | '' | {'type':'array','items':[{}]}",
                "minItems | '' | {'type':'array','minItems':3,'maxItems':2}",
                "minItems | '' | {'type':'array','minItems':-1}",
                "minItems | '' | {'type':'array','minItems':1.5}",
                "minLength | '' | {'type':'string','minLength':'a'}",
                "minLength | '' | {'type':'string','minLength':3,'maxLength':2}",
                "pattern | /additionalProperties | {'additionalProperties':{'pattern':'(?=a)'}}",
                "pattern | '' | {'pattern':'(a)\\1'}",
                "pattern | '' | {'pattern':'\\bword'}",
                "pattern | '' | {'pattern':'\\p{L}'}",
                "pattern | '' | {'pattern':'a('}",
                "pattern | '' | {'pattern':'a)'}",
                "pattern | '' | {'pattern':'[b-a]'}",
                "pattern | '' | {'pattern':'(a^b)'}",
                "pattern | '' | {'pattern':'(a$)'}",
                "pattern | '' | {'pattern':'a$b'}",
                "pattern | '' | {'pattern':'*'}",
                "pattern | '' | {'pattern':'a{3,2}'}",
                "pattern | '' | {'pattern':'(x{1000}){1000}'}",
                "pattern | '' | {'pattern':3}",
                "format | '' | {'format':'uri'}",
                "type | '' | {'type':'text'}",
                "type | '' | {'type':[]}",
                "type | '' | {'type':3}",
                "properties | '' | {'properties':[]}",
                "required | '' | {'required':'a'}",
                "required | '' | {'required':['a'],'additionalProperties':false}",
                "enum | '' | {'enum':[]}",
                "enum | '' | {'enum':['a'],'type':'integer'}",
                "const | '' | {'enum':['a'],'const':'b'}",
                "minLength | '' | {'enum':['a'],'minLength':1}",
                "anyOf | '' | {'anyOf':[]}",
                "anyOf | '' | {'anyOf':{}}",
                "type | '' | {'anyOf':[{}],'type':'object'}",
                "oneOf | '' | {'oneOf':[{}],'anyOf':[{}]}",
                "allOf | '' | {'allOf':[{},{}]}",
                "properties | /$defs/a | {'$ref':'#/$defs/a','$defs':{'a':{'$ref':'#','properties':{}}}}",
                "$ref | '' | {'$ref':'http://example.org/s'}",
                "$ref | '' | {'$ref':'#/$defs/none'}",
                "$ref | '' | {'$ref':'#a'}",
                "$ref | '' | {'$ref':'#'}",
                "$ref | /anyOf/0 | {'anyOf':[{'$ref':'#'}]}",
                "$id | /items | {'items':{'$id':'a'}}",
                "$anchor | '' | {'$anchor':'a'}",
                "strict | '' | {'strict':true}",
                "'' | '' | 3",
                "'' | /items | {'items':'a'}",
                "'' | '' | false",
                "'' | '' | {'type':'object','properties':{'a':{'$ref':'#'}},'required':['a']}",
                "'' | '' | {'type':'array','items':false,'minItems':1}",
                "'' | '' | {'type':'string','pattern':'^a$','minLength':2}",
            })
    void namesTheKeywordAndItsPlace(String keyword, String pointer, String schema) {
        GrammarException refusal = catchThrowableOfType(
                GrammarException.class,
                () -> ByteVocabulary.grammar(schema.replace("\\", "\\\\").replace('\'', '"')));
        assertThat(refusal).as(schema).isNotNull();
        assertThat(refusal.keyword()).as(refusal.getMessage()).isEqualTo(keyword);
        assertThat(refusal.pointer()).as(refusal.getMessage()).isEqualTo(pointer);
        assertThat(refusal).hasMessageContaining(keyword).hasMessageStartingWith("schema at \"");
    }

    @Test
    void boundsOfTooManyDigitsAreRefused() {
        for (String bound : List.of("1e-999", "1e999", "1" + "0".repeat(500))) {
            JsonNode schema = Json.object().put("maximum", new BigDecimal(bound));
            assertThatThrownBy(() -> Grammar.of(schema, ByteVocabulary.vocabulary()))
                    .isInstanceOf(GrammarException.class)
                    .hasMessageContaining("maximum")
                    .hasMessageContaining("400 digits");
        }
    }

    @Test
    void vocabulariesWithoutACharacterAreRefused() {
        assertThatThrownBy(() -> GrammarVocabulary.of(256, id -> id == '{' ? new byte[0] : new byte[] {(byte) id}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"{\"");
        assertThatThrownBy(() -> GrammarVocabulary.of(256, id -> new byte[] {(byte) id}, 256))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("token 256");
    }

    @Test
    void tokensThatAreNotAllowedChangeNothing() {
        GrammarState state = ByteVocabulary.grammar("{\"type\":\"null\"}").start();
        for (int id : new int[] {'x', -1, 257, ByteVocabulary.END}) {
            assertThatThrownBy(() -> state.accept(id))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("token " + id);
        }
        state.accept('n');
        assertThatThrownBy(() -> state.mask(new int[8]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("needs 9");
    }
}
