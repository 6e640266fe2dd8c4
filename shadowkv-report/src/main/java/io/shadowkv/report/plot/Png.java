package io.shadowkv.report.plot;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;

/// Draws figures as bitmaps in the light colours, at twice their size. Needs the module
/// `java.desktop` and a font: call [#obstacle] first.
public final class Png {
    private static final int SCALE = 2;

    private Png() {}

    /// Says why bitmaps cannot be drawn here; empty if they can be drawn.
    public static Optional<String> obstacle() {
        try {
            return Drawing.canWriteText() ? Optional.empty() : Optional.of("the JVM finds no font");
        } catch (LinkageError | InternalError | RuntimeException e) {
            return Optional.of("the JVM cannot draw; the module java.desktop, fontconfig or every font is missing ("
                    + e.getClass().getSimpleName() + ": " + e.getMessage() + ")");
        }
    }

    /// Draws the figure and returns the bytes of a PNG file.
    public static byte[] of(Figure figure) {
        var drawing = new Drawing(figure.width(), figure.height());
        figure.draw(drawing);
        return drawing.bytes();
    }

    /// A nested class, so that [Png] itself loads without `java.desktop`.
    private static final class Drawing implements Canvas {
        private static final Map<String, String> COLOURS = PlotStyle.lightColours();

        private final BufferedImage image;
        private final Graphics2D graphics;

        Drawing(int width, int height) {
            image = new BufferedImage(width * SCALE, height * SCALE, BufferedImage.TYPE_INT_RGB);
            graphics = image.createGraphics();
            graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
            graphics.scale(SCALE, SCALE);
            rect(0, 0, width, height, ShapeStyle.filled("card"));
        }

        static boolean canWriteText() {
            var drawing = new Drawing(1, 1);
            try {
                return drawing.graphics.getFontMetrics(font(12, false)).stringWidth("m") > 0;
            } finally {
                drawing.graphics.dispose();
            }
        }

        byte[] bytes() {
            graphics.dispose();
            var out = new ByteArrayOutputStream();
            try {
                ImageIO.write(image, "png", out);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return out.toByteArray();
        }

        private static Color colour(String name) {
            String hex = COLOURS.get(name);
            if (hex == null) {
                throw new IllegalArgumentException("no colour is named " + name + "; there are " + COLOURS.keySet());
            }
            return Color.decode(hex);
        }

        private static Font font(double size, boolean isBold) {
            return new Font(Font.SANS_SERIF, isBold ? Font.BOLD : Font.PLAIN, 1).deriveFont((float) size);
        }

        private void paint(Shape shape, ShapeStyle ink) {
            if (!ink.fill().isEmpty()) {
                graphics.setColor(colour(ink.fill()));
                graphics.fill(shape);
            }
            if (!ink.stroke().isEmpty()) {
                float[] dash = ink.isDashed() ? new float[] {6, 4} : null;
                graphics.setStroke(new BasicStroke(
                        (float) ink.width(), BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, dash, 0));
                graphics.setColor(colour(ink.stroke()));
                graphics.draw(shape);
            }
        }

        @Override
        public void rect(double x, double y, double width, double height, ShapeStyle ink) {
            paint(new Rectangle2D.Double(x, y, width, height), ink);
        }

        @Override
        public void line(double x1, double y1, double x2, double y2, ShapeStyle ink) {
            paint(new Line2D.Double(x1, y1, x2, y2), ink);
        }

        @Override
        public void circle(double x, double y, double radius, ShapeStyle ink) {
            paint(new Ellipse2D.Double(x - radius, y - radius, 2 * radius, 2 * radius), ink);
        }

        @Override
        public void polyline(List<Position> spots, ShapeStyle ink) {
            var path = new Path2D.Double();
            path.moveTo(spots.getFirst().x(), spots.getFirst().y());
            spots.stream().skip(1).forEach(spot -> path.lineTo(spot.x(), spot.y()));
            paint(path, ink);
        }

        @Override
        public void text(double x, double y, TextStyle lettering, String content) {
            graphics.setFont(font(lettering.size(), lettering.isBold()));
            graphics.setColor(colour(lettering.colour()));
            double width =
                    graphics.getFontMetrics().getStringBounds(content, graphics).getWidth();
            double left = switch (lettering.anchor()) {
                case START -> x;
                case MIDDLE -> x - width / 2;
                case END -> x - width;
            };
            graphics.drawString(content, (float) left, (float) y);
        }

        @Override
        public void rotatedText(double x, double y, TextStyle lettering, String content) {
            var before = graphics.getTransform();
            graphics.translate(x, y);
            graphics.rotate(-Math.PI / 2);
            text(0, 0, lettering.at(Anchor.MIDDLE), content);
            graphics.setTransform(before);
        }

        @Override
        public void hint(double x, double y, double width, double height, String content) {
            // A bitmap has no tooltips.
        }
    }
}
