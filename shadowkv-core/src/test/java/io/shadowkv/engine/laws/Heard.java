package io.shadowkv.engine.laws;

import io.shadowkv.engine.GenerationListener;
import java.util.ArrayList;
import java.util.List;

/// A listener that notes all it hears.
class Heard implements GenerationListener {
    final List<Integer> ids = new ArrayList<>();
    final List<Double> shares = new ArrayList<>();
    final StringBuilder text = new StringBuilder();

    @Override
    public void reading(double done) {
        shares.add(done);
    }

    @Override
    public void token(int id, String piece) {
        ids.add(id);
        text.append(piece);
    }
}
