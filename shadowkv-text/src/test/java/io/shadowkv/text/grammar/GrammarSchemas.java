package io.shadowkv.text.grammar;

import java.util.List;

/// Schemas that together use every keyword that grammars honour.
final class GrammarSchemas {
    static final List<String> ALL = List.of("""
            {"type":"object","properties":{
              "id":{"type":"string","format":"uuid"},
              "title":{"type":"string","minLength":1,"maxLength":12},
              "größe":{"type":["number","null"],"minimum":-2.5},
              "status":{"enum":["open","in progress","geschlossen ✓",3,null]},
              "priority":{"type":"integer","minimum":-5,"maximum":117},
              "created":{"type":"string","format":"date-time"},
              "code":{"type":"string","pattern":"^[A-Z]{2,4}-\\\\d{1,6}(é|\\"x)?$"},
              "tags":{"type":"array","items":{"type":"string","maxLength":5},"minItems":1,"maxItems":3}},
             "required":["id","title","status","priority","code"],"additionalProperties":false}""", """
            {"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{
              "label":{"type":"string"},
              "value":{"anyOf":[{"type":"integer"},{"type":"boolean"},{"const":"none"}]},
              "children":{"type":"array","items":{"$ref":"#/$defs/node"}}},
             "required":["label"]}}}""", """
            {"oneOf":[
              {"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"integer"}},"required":["kind","x"]},
              {"type":"object","properties":{"kind":{"const":"ab"},"x":{"type":"string"}},"required":["kind","x"]},
              {"type":"object","properties":{"kind":{"type":"string"},"y":{"allOf":[{"type":"null"}]}},
               "required":["kind"]}]}""", """
            {"type":"object","properties":{"name":{"type":"string"},"na\\"me\\n":{"type":"null"}},
             "additionalProperties":{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":1e3}}""", """
            {"type":"array","prefixItems":[{"type":"string","format":"date"},{"type":"number"},true],
             "items":{"type":"string","format":"time"},"minItems":2,"maxItems":6}""", """
            {"type":"array","items":{"type":"string","pattern":"b|^x"},"minItems":2}""", """
            {"type":"object","properties":{"a":{"format":"ipv4"},"b":{"format":"ipv6"},"c":{"format":"email"},
             "d":{"format":"hostname","maxLength":20},"e":{"format":"duration"}}}""", "{\"type\":\"object\"}", "{}");

    private GrammarSchemas() {}
}
