package io.shadowkv.text.jinja.syntax;

import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.syntax.Statement.Signature;
import io.shadowkv.text.jinja.syntax.Statement.Target;
import io.shadowkv.text.jinja.syntax.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Parses a template's statements.
public final class Parser {
    private static final int DEEPEST = 100;

    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private int depth;
    private int loops;

    private Parser(TokenStream tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    /// @throws JinjaException with the line and the unexpected text
    public static List<Statement> parse(String source) {
        return new Parser(new TokenStream(Lexer.tokens(source))).body(Set.of());
    }

    /// Parses statements up to a tag that begins with one of the words, and stops after its `{%`;
    /// without words, up to the end of the template.
    private List<Statement> body(Set<String> ends) {
        if (++depth > DEEPEST) {
            throw new JinjaException(tokens.peek().line(), "statements are nested more than " + DEEPEST + " deep");
        }
        List<Statement> statements = new ArrayList<>();
        while (true) {
            Token token = tokens.next();
            switch (token.kind()) {
                case TEXT -> statements.add(new Statement.Text(token.line(), token.text()));
                case OUTPUT_BEGIN -> {
                    statements.add(new Statement.Output(token.line(), expressions.tuple()));
                    tokens.expect(Kind.OUTPUT_END, "\"}}\"");
                }
                case BLOCK_BEGIN -> {
                    if (tokens.peek().kind() == Kind.NAME
                            && ends.contains(tokens.peek().text())) {
                        depth--;
                        return List.copyOf(statements);
                    }
                    statements.add(statement());
                }
                default -> {
                    if (!ends.isEmpty()) {
                        throw new JinjaException(
                                token.line(),
                                "the template ends where {% "
                                        + String.join(
                                                " %} or {% ",
                                                ends.stream().sorted().toList()) + " %} is expected");
                    }
                    depth--;
                    return List.copyOf(statements);
                }
            }
        }
    }

    private Statement statement() {
        Token word = tokens.expect(Kind.NAME, "a statement");
        int line = word.line();
        return switch (word.text()) {
            case "if" -> branch(line);
            case "for" -> loop(line);
            case "set" -> assignment(line);
            case "macro" -> macro(line);
            case "call" -> callBlock(line);
            case "filter" -> filterBlock(line);
            case "with" -> with(line);
            case "generation" -> {
                endOfTag();
                yield new Statement.Scoped(line, List.of(), ended("endgeneration"));
            }
            case "break" -> leave(new Statement.Break(line));
            case "continue" -> leave(new Statement.Continue(line));
            default ->
                throw new JinjaException(
                        line,
                        "found the statement \"" + word.text() + "\"; chat templates use if, for,"
                                + " set, macro, call, filter, with, generation, break, continue and raw");
        };
    }

    private Statement leave(Statement statement) {
        endOfTag();
        if (loops == 0) {
            throw new JinjaException(statement.line(), "break and continue are allowed in a for only");
        }
        return statement;
    }

    private void endOfTag() {
        tokens.expect(Kind.BLOCK_END, "\"%}\"");
    }

    /// Parses a body and its end tag.
    private List<Statement> ended(String end) {
        List<Statement> body = body(Set.of(end));
        tokens.next();
        endOfTag();
        return body;
    }

    private Statement branch(int line) {
        List<Statement.Branch> branches = new ArrayList<>();
        List<Statement> otherwise = List.of();
        Token word;
        do {
            Expression condition = expressions.tuple();
            endOfTag();
            branches.add(new Statement.Branch(condition, body(Set.of("elif", "else", "endif"))));
            word = tokens.next();
        } while (word.isName("elif"));
        if (word.isName("else")) {
            endOfTag();
            otherwise = body(Set.of("endif"));
            tokens.next();
        }
        endOfTag();
        return new Statement.If(line, List.copyOf(branches), otherwise);
    }

    private Statement loop(int line) {
        Target target = targets();
        if (!tokens.takeName("in")) {
            throw tokens.unexpected("\"in\"");
        }
        Expression items = expressions.or();
        Expression filter = tokens.takeName("if") ? expressions.expression() : null;
        if (tokens.peek().isName("recursive")) {
            throw tokens.unexpected("the end of the for; recursive loops are not supported");
        }
        endOfTag();
        loops++;
        List<Statement> body = body(Set.of("else", "endfor"));
        loops--;
        List<Statement> otherwise = List.of();
        if (tokens.next().isName("else")) {
            endOfTag();
            otherwise = ended("endfor");
        } else {
            endOfTag();
        }
        return new Statement.For(line, target, items, filter, body, otherwise);
    }

    private Target targets() {
        List<Target> targets = new ArrayList<>();
        boolean isTuple = false;
        do {
            if (tokens.peek().isName("in") || tokens.peek().is("=")) {
                break;
            }
            targets.add(target());
            isTuple |= tokens.peek().is(",");
        } while (tokens.take(","));
        return isTuple ? new Target.Several(List.copyOf(targets)) : targets.getFirst();
    }

    private Target target() {
        if (tokens.take("(")) {
            Target inside = targets();
            tokens.expect(")");
            return inside;
        }
        String name = tokens.name();
        return tokens.take(".") ? new Target.Field(name, tokens.name()) : new Target.Variable(name);
    }

    private Statement assignment(int line) {
        if (tokens.peek().kind() == Kind.BLOCK_END || tokens.peek().is("=")) {
            throw tokens.unexpected("a name to set");
        }
        Target target = targets();
        if (tokens.take("=")) {
            Expression value = expressions.tuple();
            endOfTag();
            return new Statement.Assign(line, target, value);
        }
        Expression.Filter filter = filters();
        endOfTag();
        return new Statement.AssignBlock(line, target, filter, ended("endset"));
    }

    private Expression.@Nullable Filter filters() {
        Expression.Filter filter = null;
        while (tokens.take("|")) {
            filter = expressions.filter(filter);
        }
        return filter;
    }

    private Statement filterBlock(int line) {
        Expression.Filter filter = expressions.filter(null);
        while (tokens.take("|")) {
            filter = expressions.filter(filter);
        }
        endOfTag();
        return new Statement.FilterBlock(line, filter, ended("endfilter"));
    }

    private Statement with(int line) {
        List<Statement> assignments = new ArrayList<>();
        while (tokens.peek().kind() != Kind.BLOCK_END) {
            if (!assignments.isEmpty()) {
                tokens.expect(",");
            }
            Target target = target();
            tokens.expect("=");
            assignments.add(new Statement.Assign(line, target, expressions.expression()));
        }
        endOfTag();
        return new Statement.Scoped(line, List.copyOf(assignments), ended("endwith"));
    }

    private Statement macro(int line) {
        String name = tokens.name();
        Signature signature = signature();
        endOfTag();
        return new Statement.Macro(line, name, signature, outsideLoops("endmacro"));
    }

    private Statement callBlock(int line) {
        Signature signature = tokens.peek().is("(") ? signature() : new Signature(List.of(), List.of());
        if (expressions.expression() instanceof Expression.Call call) {
            endOfTag();
            return new Statement.CallBlock(line, signature, call, outsideLoops("endcall"));
        }
        throw new JinjaException(line, "a call statement needs a call: {% call name(arguments) %}");
    }

    private List<Statement> outsideLoops(String end) {
        int outer = loops;
        loops = 0;
        List<Statement> body = ended(end);
        loops = outer;
        return body;
    }

    private Signature signature() {
        tokens.expect("(");
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        while (!tokens.take(")")) {
            if (!parameters.isEmpty()) {
                tokens.expect(",");
            }
            parameters.add(tokens.name());
            if (tokens.take("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw tokens.unexpected("a default, because the parameter before it has one");
            }
        }
        return new Signature(List.copyOf(parameters), List.copyOf(defaults));
    }
}
