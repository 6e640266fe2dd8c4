package io.shadowkv.spark;

import io.shadowkv.eval.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import tools.jackson.databind.node.ObjectNode;

/// The formats of tables.
enum TableFormat {
    PARQUET,
    /// JSON lines.
    JSON;

    /// @throws IllegalArgumentException if there is no such format
    static TableFormat of(String name) {
        return switch (name) {
            case "parquet" -> PARQUET;
            case "json" -> JSON;
            default ->
                throw new IllegalArgumentException(
                        "there is no format " + name + "; tables are parquet, or json for one object on each line");
        };
    }

    String sparkName() {
        return name().toLowerCase(Locale.ROOT);
    }

    String ending() {
        return "." + sparkName();
    }

    /// Writes rows of texts and whole numbers as one file.
    void write(List<Row> rows, StructType schema, Path file, Configuration configuration) throws IOException {
        switch (this) {
            case JSON -> writeJson(rows, schema, file, configuration);
            case PARQUET -> writeParquet(rows, schema, file, configuration);
        }
    }

    private static void writeJson(List<Row> rows, StructType schema, Path file, Configuration configuration)
            throws IOException {
        var lines = new StringBuilder();
        for (Row row : rows) {
            ObjectNode line = Json.SNAKE_CASE.createObjectNode();
            for (int i = 0; i < schema.size(); i++) {
                if (!row.isNullAt(i)) {
                    line.putPOJO(schema.apply(i).name(), row.get(i));
                }
            }
            lines.append(Json.SNAKE_CASE.writeValueAsString(line)).append('\n');
        }
        try (FSDataOutputStream out = file.getFileSystem(configuration).create(file, false)) {
            out.write(lines.toString().getBytes(StandardCharsets.UTF_8));
        }
    }

    private static void writeParquet(List<Row> rows, StructType schema, Path file, Configuration configuration)
            throws IOException {
        MessageType type = parquetType(schema);
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(file)
                .withConf(configuration)
                .withType(type)
                .withCompressionCodec(CompressionCodecName.SNAPPY)
                .build()) {
            for (Row row : rows) {
                writer.write(group(row, type));
            }
        }
    }

    private static Group group(Row row, MessageType type) {
        Group group = new SimpleGroup(type);
        for (int i = 0; i < row.size(); i++) {
            switch (row.get(i)) {
                case null -> {}
                case Long number -> group.add(i, number);
                case Number number -> group.add(i, number.intValue());
                case Object text -> group.add(i, text.toString());
            }
        }
        return group;
    }

    private static MessageType parquetType(StructType schema) {
        Types.MessageTypeBuilder builder = Types.buildMessage();
        for (StructField field : schema.fields()) {
            builder.addField(parquetType(field));
        }
        return builder.named("answers");
    }

    private static Type parquetType(StructField field) {
        Type.Repetition repetition = field.nullable() ? Type.Repetition.OPTIONAL : Type.Repetition.REQUIRED;
        DataType type = field.dataType();
        if (type.equals(DataTypes.StringType)) {
            return Types.primitive(PrimitiveType.PrimitiveTypeName.BINARY, repetition)
                    .as(LogicalTypeAnnotation.stringType())
                    .named(field.name());
        }
        if (type.equals(DataTypes.LongType)) {
            return Types.primitive(PrimitiveType.PrimitiveTypeName.INT64, repetition)
                    .named(field.name());
        }
        int bits = type.equals(DataTypes.ByteType) ? 8 : type.equals(DataTypes.ShortType) ? 16 : 32;
        return Types.primitive(PrimitiveType.PrimitiveTypeName.INT32, repetition)
                .as(LogicalTypeAnnotation.intType(bits, true))
                .named(field.name());
    }
}
