package io.shadowkv.cpu.vector;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/// Defines a copy of this backend's classes for a given vector width. All other classes come from
/// the parent.
public final class WidthLoader extends ClassLoader {
    /// Prefix of a loader's name, followed by the width in bits.
    static final String NAME_PREFIX = "shadowkv-vector-";

    /// The backend's root package, which is copied with its subpackages.
    private static final String ROOT = "io.shadowkv.cpu.";

    public WidthLoader(int bits) {
        super(NAME_PREFIX + bits, WidthLoader.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(ROOT)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : findClass(name);
        }
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] bytes = in.readAllBytes();
            return defineClass(name, bytes, 0, bytes.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
