package io.shadowkv.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.to_json;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Set;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/// The columns of a table of questions. Exactly one of `document` and `path` is given.
///
/// @param key names each row: a text or a whole number, without null and without repetition
/// @param document text that the question is about; null if documents are in files
/// @param path file of the document, in UTF-8, as any path or URI that Hadoop opens; null if the
///     table has the texts
/// @param question text after the document
/// @param options options of generation of each row, as JSON text, struct or map; null for the defaults
public record RowColumns(
        String key,
        @Nullable String document,
        @Nullable String path,
        String question,
        @Nullable String options) implements Serializable {
    /// Names in the table that [#select] returns.
    static final String KEY = "key";

    static final String DOCUMENT = "document";
    static final String QUESTION = "question";
    static final String OPTIONS = "options";

    private static final Set<DataType> KEY_TYPES = Set.of(
            DataTypes.StringType, DataTypes.ByteType, DataTypes.ShortType, DataTypes.IntegerType, DataTypes.LongType);

    public RowColumns {
        if ((document == null) == (path == null)) {
            throw new IllegalArgumentException(
                    document == null
                            ? "neither a column of documents nor one of their paths is given; give"
                                    + " --document-column NAME for texts, or --document-path-column NAME for files"
                            : "documents are asked for as texts (column " + document + ") and as files (column " + path
                                    + "); give one of --document-column and --document-path-column");
        }
    }

    /// The columns `key`, `document`, `question` and `options`, with texts in the table.
    public static RowColumns ofTexts() {
        return new RowColumns(KEY, DOCUMENT, null, QUESTION, null);
    }

    boolean hasPaths() {
        return path != null;
    }

    /// The type of the key.
    ///
    /// @throws IllegalArgumentException if a column is missing or has a type that cannot be used
    DataType check(StructType table) {
        DataType keyType = type(table, key, "--key-column");
        if (!KEY_TYPES.contains(keyType)) {
            throw new IllegalArgumentException("the key column " + key + " is of type " + keyType.simpleString()
                    + "; expected a text or a whole number. Cast it, or give another column with --key-column");
        }
        checkText(table, contents(), path == null ? "--document-column" : "--document-path-column");
        checkText(table, question, "--question-column");
        if (options != null && !isOptions(type(table, options, "--options-column"))) {
            throw new IllegalArgumentException("the column of options, " + options + ", is of type "
                    + type(table, options, "--options-column").simpleString()
                    + "; expected a JSON text, a struct or a map");
        }
        return keyType;
    }

    private static boolean isOptions(DataType type) {
        return type.equals(DataTypes.StringType) || type instanceof StructType || type instanceof MapType;
    }

    private static void checkText(StructType table, String name, String flag) {
        DataType type = type(table, name, flag);
        if (!type.equals(DataTypes.StringType)) {
            throw new IllegalArgumentException("the column " + name + " is of type " + type.simpleString()
                    + "; expected a text. Give another column with " + flag);
        }
    }

    private static DataType type(StructType table, String name, String flag) {
        for (StructField field : table.fields()) {
            if (field.name().equals(name)) {
                return field.dataType();
            }
        }
        throw new IllegalArgumentException("the table has no column " + name + "; it has "
                + String.join(", ", Arrays.asList(table.fieldNames())) + ". Name the column with " + flag);
    }

    private String contents() {
        return path != null ? path : String.valueOf(document);
    }

    /// The four columns under their usual names; `document` has texts or paths, `options` JSON or null.
    Dataset<Row> select(Dataset<Row> table) {
        return table.select(
                named(key).as(KEY),
                named(contents()).as(DOCUMENT),
                named(question).as(QUESTION),
                optionsOf(table));
    }

    private Column optionsOf(Dataset<Row> table) {
        if (options == null) {
            return lit(null).cast(DataTypes.StringType).as(OPTIONS);
        }
        boolean isText = table.schema().apply(options).dataType().equals(DataTypes.StringType);
        return (isText ? named(options) : to_json(named(options))).as(OPTIONS);
    }

    /// A column by its name, in which a dot is an ordinary character.
    static Column named(String name) {
        return col("`" + name.replace("`", "``") + "`");
    }
}
